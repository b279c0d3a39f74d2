import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { type Gateway, segment } from "../gateway.ts";
import type { DryRun } from "../noun.ts";
import { type Resource, resourcesAt, textAt } from "../resource.ts";
import { unreadable } from "../secret-file.ts";
import type { Session } from "../session.ts";
import type { View } from "../table.ts";
import { printable } from "../text.ts";
import { clientDifferences, inForce } from "./compare-client.ts";
import { issueApiKey } from "./issue-api-key.ts";
import { type Mistake, parseServices, type Service } from "./parse-services.ts";
import { SecretFolder } from "./secret-folder.ts";

export type ServicesOptions = DryRun & { readonly from: string; readonly out?: string };

/** What becomes of a service: nothing that is not asked for is changed. */
type Step = { readonly service: Service } & (
  | { readonly kind: "make" }
  /** The client is there, and its credential is not, as after a run that was broken off. */
  | { readonly kind: "complete"; readonly client: Resource }
  | { readonly kind: "leave" }
  | { readonly kind: "differs"; readonly detail: string }
);

const SERVICE_VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["RESULT", "result"],
    ["CREDENTIAL", "credential"],
    ["SECRET", "secretFile"],
    ["DETAIL", "detail"],
  ],
};

/**
 * Makes the clients of a file, with a credential each. Whatever is wrong with the file, or with what the gateway thinks of it, is told before anything is
 * made. Run again it makes what is missing, leaves what is there, and tells what differs: exit 4 then.
 */
export async function createServices(session: Session, options: ServicesOptions): Promise<void> {
  const file = options.from;
  const { services, mistakes } = parseServices(await readServices(resolve(session.io.cwd, file)));
  await refuseMistakes(session, file, mistakes);
  const secrets = secretFolder(session, services, options);
  const gateway = await session.gateway();
  const clients = await Array.fromAsync(gateway.list("/v1/clients"));
  const steps: Step[] = [];
  for (const service of services) steps.push(await planStep(service, { clients, secrets }));
  await refuseMistakes(session, file, [...takenSubjects(steps, clients), ...(await tryAll(gateway, steps, secrets))]);
  const rows: Resource[] = [];
  try {
    if (options.dryRun === true) for (const step of steps) rows.push(rowOf(step, { result: TRIED[step.kind] }));
    else for (const step of steps) rows.push(await take(session, step, secrets));
  } finally {
    await session.printList(rows, SERVICE_VIEW);
  }
  const failed = rows.filter((row) => ["differs", "failed"].includes(textAt(row, "result") ?? "")).length;
  if (failed > 0) throw notAll(failed, rows.length);
}

async function readServices(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function refuseMistakes(session: Session, file: string, mistakes: readonly Mistake[]): Promise<void> {
  for (const { line, column, message } of mistakes)
    await session.tell(printable(`${file}:${line}:${column}: ${message}`));
  if (mistakes.length === 0) return;
  throw new Failure(EXIT.refused, {
    what: `${file} cannot be used`,
    code: "INVALID_SERVICES",
    why: mistakes.length === 1 ? "one thing is wrong" : `${mistakes.length} things are wrong`,
    next: "mend them, and run it again: nothing was made",
  });
}

function secretFolder(session: Session, services: readonly Service[], { out }: ServicesOptions): SecretFolder {
  if (out === undefined && services.some(({ credential }) => credential === "api-key"))
    throw usageFailure(
      "nowhere to write the API keys",
      "name a folder with --out: each goes into a file of its own there",
    );
  return new SecretFolder(resolve(session.io.cwd, out ?? "."));
}

type Known = { readonly clients: readonly Resource[]; readonly secrets: SecretFolder };

async function planStep(service: Service, { clients, secrets }: Known): Promise<Step> {
  const client = clients.find((one) => textAt(one, "name") === service.name);
  if (client === undefined) return { kind: "make", service };
  const differences = clientDifferences(service, client);
  if (differences.length > 0) return { kind: "differs", service, detail: differences.join("; ") };
  const isPending = service.credential === "api-key" && (await secrets.isPending(service.name));
  return isPending || !inForce(service, client) ? { kind: "complete", service, client } : { kind: "leave", service };
}

/** Certificates that are to be those of new credentials, and are those of other clients. */
function takenSubjects(steps: readonly Step[], clients: readonly Resource[]): readonly Mistake[] {
  return steps.flatMap(({ kind, service }) => {
    const { name, subject, at } = service;
    if (subject === undefined || (kind !== "make" && kind !== "complete")) return [];
    const holder = clients.find((client) =>
      resourcesAt(client, "credentials").some(
        (one) => textAt(one, "state") === "active" && textAt(one, "subject") === subject,
      ),
    );
    return holder === undefined ? [] : [{ ...at, message: `${name}: ${subject} is that of ${textAt(holder, "name")}` }];
  });
}

/** What stands against the steps, the gateway's view included; nothing is changed by it. */
async function tryAll(gateway: Gateway, steps: readonly Step[], secrets: SecretFolder): Promise<readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  for (const { kind, service } of steps) {
    if (kind !== "make" && kind !== "complete") continue;
    if (
      service.credential === "api-key" &&
      (await secrets.has(service.name)) &&
      !(await secrets.isPending(service.name))
    )
      mistakes.push({ ...service.at, message: `${service.name}: ${secrets.pathOf(service.name)} is there already` });
    if (kind !== "make") continue;
    try {
      await gateway.change("POST", "/v1/clients", bodyOf(service), { dryRun: true });
    } catch (error) {
      if (!(error instanceof Failure) || error.exitCode !== EXIT.refused || error.text.code === "PERMISSION_DENIED")
        throw error;
      mistakes.push({ ...service.at, message: `${service.name}: ${error.text.why} (${error.text.code})` });
    }
  }
  return mistakes;
}

function bodyOf({ name, role, keys, allow, contextEquals, expireTime }: Service): object {
  return { name, role, keys, allow, contextEquals, expireTime };
}

const TRIED: Readonly<Record<Step["kind"], string>> = {
  make: "would be created",
  complete: "would be completed",
  leave: "unchanged",
  differs: "differs",
};

/** A refusal is that of one service; what stops the gateway stops the run. */
async function take(session: Session, step: Step, secrets: SecretFolder): Promise<Resource> {
  if (step.kind === "leave") return rowOf(step, { result: "unchanged" });
  if (step.kind === "differs") return rowOf(step, { result: "differs" });
  try {
    const gateway = await session.gateway();
    const client =
      step.kind === "complete" ? step.client : await gateway.change("POST", "/v1/clients", bodyOf(step.service));
    const made = await giveCredential(session, { service: step.service, client, secrets });
    return rowOf(step, { result: step.kind === "make" ? "created" : "completed", ...made });
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== EXIT.refused) throw error;
    return rowOf(step, { result: "failed", detail: `${error.text.why} (${error.text.code})` });
  }
}

type Giving = { readonly service: Service; readonly client: Resource; readonly secrets: SecretFolder };

async function giveCredential(session: Session, { service, client, secrets }: Giving): Promise<Resource> {
  const gateway = await session.gateway();
  const path = `/v1/clients/${segment(textAt(client, "id") ?? service.name)}/credentials`;
  if (service.credential === "mtls") {
    await gateway.change("POST", path, { kind: "mtls", subject: service.subject });
    return {};
  }
  const others = resourcesAt(client, "credentials").filter((credential) => textAt(credential, "state") === "active");
  const secretFile = await issueApiKey(session, { path, name: service.name, secrets });
  const detail = others.length === 0 ? null : "an API key from before is in force too";
  return { secretFile, detail };
}

function rowOf({ service, ...step }: Step, told: Resource): Resource {
  const { name, credential, subject } = service;
  const detail = step.kind === "differs" ? step.detail : (subject ?? null);
  return { name, result: "", credential, secretFile: null, detail, ...told };
}

function notAll(failed: number, all: number): Failure {
  return new Failure(EXIT.partial, {
    what: `${failed} of ${all} clients are not as the file says`,
    code: "NOT_ALL_DONE",
    why: "a client that differs is left as it is, and one that was refused was not made",
    next: "look at DETAIL above, mend the file or the client, and run it again",
  });
}
