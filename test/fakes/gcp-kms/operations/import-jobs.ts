import { protos } from "@google-cloud/kms";
import { alreadyExists, invalidArgument } from "../failure.ts";
import { nameIn, type Operation, type Operations } from "../methods.ts";
import { pageOf } from "../paging.ts";
import { jobStateOf, renderJob } from "../render.ts";
import { getJob, getKeyRing, parseId } from "../resolve.ts";
import { parseLevel } from "./new-key.ts";

const create: Operation<"CreateImportJob"> = async (kms, { parent, importJobId, importJob }) => {
  const ring = getKeyRing(kms, parent);
  const name = `${ring.name}/importJobs/${parseId(importJobId, "import_job_id")}`;
  const method = nameIn(protos.google.cloud.kms.v1.ImportJob.ImportMethod, importJob?.importMethod);
  const [, bits] = /^RSA_OAEP_(3072|4096)_SHA(?:1|256)(?:_AES_256)?$/.exec(method) ?? [];
  if (bits === undefined) throw invalidArgument(`import_method ${method} is not supported.`);
  if (kms.jobs.has(name)) throw alreadyExists("ImportJob", name);
  const nowMs = kms.now();
  const job = {
    name,
    method,
    protectionLevel: parseLevel(importJob?.protectionLevel),
    createdMs: nowMs,
    readyMs: nowMs + kms.generationMs,
    unwrapWith: kms.wrappingKey(Number(bits)),
  };
  kms.jobs.set(name, job);
  return await renderJob(job, "PENDING_GENERATION");
};

export const importJobOperations: Pick<Operations, "ListImportJobs" | "GetImportJob" | "CreateImportJob"> = {
  ListImportJobs: async (kms, request) => {
    const ring = getKeyRing(kms, request.parent);
    const all = [...kms.jobs.values()].filter(({ name }) => name.startsWith(`${ring.name}/`));
    const { items, nextPageToken, totalSize } = pageOf(kms, all, { asked: request, fields: ({ name }) => ({ name }) });
    const importJobs = await Promise.all(items.map(async (job) => await renderJob(job, jobStateOf(kms, job))));
    return { importJobs, nextPageToken, totalSize };
  },

  GetImportJob: async (kms, { name }) => {
    const job = getJob(kms, name);
    return await renderJob(job, jobStateOf(kms, job));
  },

  CreateImportJob: create,
};
