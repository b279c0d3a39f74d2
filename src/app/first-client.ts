import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import { createId, createUuid } from "#core/ids.ts";
import type { ClientRecord, CredentialRecord, NamespaceRecord } from "#core/records.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { createApiKey } from "#http/api-key.ts";

export const DEFAULT_NAMESPACE = "default";
const CLIENT_FILE = "client.json";

/** What the command reads to find its gateway (api.md § 10). `cacert` is a path beside the file; absent where the gateway has a certificate of its own. */
export type ClientFile = {
  readonly address: string;
  readonly cacert?: string;
  readonly apiKey: string;
  readonly namespace: string;
};

/** Makes the namespace `default` where there never was one. It starts without dual control: its first admin is alone. */
export async function ensureDefaultNamespace(store: Store, sources: Sources): Promise<void> {
  await store.change((catalog) => {
    const isBad = catalog.faults.some(({ table, id }) => table === "namespaces" && id === DEFAULT_NAMESPACE);
    if (catalog.namespace(DEFAULT_NAMESPACE) !== undefined || isBad) return { mutations: [], result: undefined };
    const record: NamespaceRecord = {
      id: createUuid(sources),
      name: DEFAULT_NAMESPACE,
      dualControl: false,
      approvers: 1,
      activation: "automatic",
      createTime: sources.clock.now(),
    };
    return { mutations: [{ table: "namespaces", id: record.name, record, ifRevision: 0 }], result: undefined };
  });
}

/**
 * Makes the first admin where the namespace never had a client, and writes its credential to `client.json`, once. The file is written before
 * the credential counts, so that a crash between the two leaves a file that a restart replaces. Only the first process of a folder does this.
 */
export async function ensureFirstAdmin(
  store: Store,
  sources: Sources,
  { folder, address, cacert }: { folder: string; address: string; cacert: string | undefined },
): Promise<void> {
  const { catalog } = store;
  // who deletes the rows of clients must not be given an admin for it
  if ([...catalog.clients(DEFAULT_NAMESPACE)].length > 0 || catalog.faults.some(({ table }) => table === "clients"))
    return;
  const { secret, digest, hint } = createApiKey(sources.random);
  const file: ClientFile = {
    address,
    ...(cacert === undefined ? {} : { cacert }),
    apiKey: unsafeRevealSecret(secret),
    namespace: DEFAULT_NAMESPACE,
  };
  const client: ClientRecord = {
    id: createId("cli", sources),
    name: "admin",
    namespace: DEFAULT_NAMESPACE,
    person: "admin",
    role: "admin",
    keys: ["*"],
    allow: ["*"],
    contextEquals: {},
    expireTime: null,
    createTime: sources.clock.now(),
  };
  const credential: CredentialRecord = {
    id: createId("crd", sources),
    client: client.id,
    kind: "api-key",
    person: client.person,
    hint,
    digest,
    subject: null,
    state: "active",
    expireTime: null,
    createTime: sources.clock.now(),
  };
  await writeClientFile(folder, file);
  await store.change(() => ({
    mutations: [
      { table: "clients", id: client.id, record: client, ifRevision: 0 },
      { table: "credentials", id: credential.id, record: credential, ifRevision: 0 },
    ],
    result: undefined,
  }));
}

/** Corrects the address in `client.json` after the gateway moved to another port. */
export async function updateAddress(folder: string, address: string): Promise<void> {
  const path = join(folder, CLIENT_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return; // an operator has taken it away
  }
  const file = readClientFile(text);
  if (file === undefined) throw new Error(`${path} is not JSON: mend it, or take it away`);
  if (file.address !== address) await writeClientFile(folder, { ...file, address });
}

function readClientFile(text: string): ClientFile | undefined {
  try {
    const file: unknown = JSON.parse(text);
    return typeof file === "object" && file !== null ? (file as ClientFile) : undefined;
  } catch {
    return undefined;
  }
}

async function writeClientFile(folder: string, file: ClientFile): Promise<void> {
  const temporary = join(folder, `.${CLIENT_FILE}.${process.pid}`);
  await writeFile(temporary, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, join(folder, CLIENT_FILE));
}
