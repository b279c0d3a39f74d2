import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto";
import type { Random, Scheduler, Clock } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyImporter, Observation } from "#core/provider.ts";
import { shapeOf } from "./algorithms.ts";
import type { Require } from "./capabilities.ts";
import { faultOf, refused } from "./errors.ts";
import { requireMaterial } from "./import-material.ts";
import { obtainKey, type Place, type Planes } from "./keys.ts";
import { CANARY_MARKER } from "./names.ts";
import { observationOf } from "./observation.ts";
import { present } from "./present.ts";

const METHOD = "RSA_OAEP_4096_SHA256_AES_256";
const LOOK_AGAIN_MS = 200;
const DAY_MS = 86_400_000;

export type ImportTools = Planes & { readonly random: Random; readonly scheduler: Scheduler; readonly clock: Clock };

/** Imports through an import job of the day: RSA-OAEP(SHA-256) of an AES-256 key, then AES-256-KWP of the material under it. */
export function createImporter(tools: ImportTools, place: Place, requireRow: Require): KeyImporter {
  return {
    async importKey({ algorithm, marker, material }, call) {
      requireRow("import", algorithm); // the length is a verdict on the material
      if (marker === CANARY_MARKER) throw refused("the marker is the canary's");
      requireMaterial(algorithm, material);
      const key = await obtainKey(tools, place, { algorithm, marker, external: true }, call);
      const parent = present(key.name, "name");
      const there = await firstVersion(tools, parent, call);
      if (there !== undefined) return refuseFailed(observationOf(await untilDone(tools, there, call), key.labels));
      const job = await obtainJob(tools, place, call);
      const wrappedKey = wrap(material, job.publicKey, tools.random);
      const { native } = shapeOf(algorithm);
      const request = { parent, algorithm: native as never, importJob: job.name, wrappedKey };
      const made = await tools.control.importVersion(request, call);
      const name = present(made.name, "name");
      const version = await untilDone(tools, name, call);
      const seen = refuseFailed(observationOf(version, key.labels));
      const first = await firstVersion(tools, parent, call);
      if (first === undefined || first === name) return seen;
      await tools.control.destroyVersion({ name }, call); // another gateway was faster: one of the two is enough
      return refuseFailed(observationOf(await untilDone(tools, first, call), key.labels));
    },
  };
}

function refuseFailed(seen: Observation): Observation {
  if (seen.nativeState !== "IMPORT_FAILED") return seen;
  throw new ProviderError({
    failure: "INVALID",
    nativeCode: seen.nativeState,
    detail: "the service refuses the material",
  });
}

/** The name of the version that an earlier try has brought; the first of those that were imported at once. */
async function firstVersion({ data }: Planes, parent: string, call: CallContext): Promise<string | undefined> {
  const { items } = await data.listVersions({ parent, pageSize: 100 }, call);
  const names = items.flatMap(({ state, name }) => (state === "IMPORT_FAILED" ? [] : [present(name, "name")]));
  return names.toSorted((one, other) => versionOf(one) - versionOf(other))[0];
}

function versionOf(name: string): number {
  return Number(name.slice(name.lastIndexOf("/") + 1));
}

async function untilDone({ data, scheduler }: ImportTools, name: string, call: CallContext) {
  for (;;) {
    const version = await data.getVersion({ name }, call);
    if (version.state !== "PENDING_IMPORT") return version;
    await pause(scheduler, call);
  }
}

type Job = { readonly name: string; readonly publicKey: KeyObject };

async function obtainJob(
  { data, control, scheduler, clock }: ImportTools,
  { keyRing, level }: Place,
  call: CallContext,
): Promise<Job> {
  const importJobId = `claviger-${Math.floor(clock.now() / DAY_MS)}-${level.toLowerCase()}`;
  const name = `${keyRing}/importJobs/${importJobId}`;
  try {
    await control.createImportJob(
      { parent: keyRing, importJobId, importJob: { importMethod: METHOD, protectionLevel: level } },
      call,
    );
  } catch (error) {
    if (faultOf(error).nativeCode !== "ALREADY_EXISTS") throw error;
  }
  for (;;) {
    const job = await data.getImportJob({ name }, call);
    if (job.state === "ACTIVE") return { name, publicKey: readKey(present(job.publicKey?.pem, "public_key")) };
    if (job.state !== "PENDING_GENERATION")
      throw new ProviderError({ failure: "OUTAGE", detail: "the import job is not active" });
    await pause(scheduler, call);
  }
}

function readKey(pem: string): KeyObject {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === "rsa" && key.asymmetricKeyDetails?.modulusLength === 4096) return key;
  throw new ProviderError({ failure: "OUTAGE", detail: "an answer without the wrapping key that was asked for" });
}

function wrap(material: Uint8Array, key: KeyObject, random: Random): Buffer {
  const ephemeral = random.bytes(32);
  try {
    const cipher = createCipheriv("id-aes256-wrap-pad", ephemeral, Buffer.from("a65959a6", "hex"));
    const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, ephemeral);
    return Buffer.concat([sealed, cipher.update(material), cipher.final()]);
  } finally {
    ephemeral.fill(0);
  }
}

async function pause(scheduler: Scheduler, { signal }: CallContext): Promise<void> {
  await new Promise<void>((resolve) => {
    scheduler.after(LOOK_AGAIN_MS, resolve);
  });
  if (signal.aborted) throw new ProviderError({ failure: "CANCELLED", detail: "the call was cancelled" });
}
