import type { Mutation } from "#core/catalog.ts";
import { type KeyId, type Uuid, keyIdOf, parseUuid } from "#core/ids.ts";
import { type HistoryRecord, type KeyRecord, ROW_IDS, type SealedTable, type SealedTables } from "#core/records.ts";
import { clientRecord, keyRecord, versionRecord } from "../unit/core/records.ts";

/** The n-th UUID of these tests. */
export function uuid(n: number): Uuid {
  return parseUuid(`0193a1b2-0000-7000-8000-${n.toString(16).padStart(12, "0")}`);
}

export function keyId(n: number): KeyId {
  return keyIdOf(uuid(n));
}

/** The n-th key of these tests, named `key-n`. */
export function key(n: number, part: Partial<KeyRecord> = {}): KeyRecord {
  return keyRecord({ id: keyId(n), name: `key-${String(n)}`, ...part });
}

export function history(n: number, generation: number): HistoryRecord {
  return {
    key: keyId(n),
    generation,
    time: 1000 + generation,
    actor: "cli_1",
    action: "create",
    from: null,
    to: "active",
    reason: null,
    detail: "",
    ticket: "",
    requestId: "req_1",
  };
}

/** Makes the n-th record of a table; `variant` changes something in it that is not its id. */
export const RECORDS: {
  readonly [T in SealedTable]: (n: number, variant?: number) => SealedTables[T];
} = {
  namespaces: (n, variant = 0) => ({
    id: uuid(n),
    name: `space-${String(n)}`,
    dualControl: true,
    approvers: 2 + variant,
    activation: "automatic",
    createTime: 1,
  }),
  keys: (n, variant = 0) => key(n, { generation: 1 + variant, description: `variant ${String(variant)}` }),
  versions: (n, variant = 0) => versionRecord({ key: keyId(n), version: 1, createTime: variant }),
  branches: (n, variant = 0) => ({
    id: uuid(n),
    namespace: "default",
    recipients: [{ provider: "a", uid: null }],
    minimum: 1,
    threshold: 1,
    route: "default",
    dedicatedTo: null,
    primaryVersion: 1 + variant,
    createTime: 1,
  }),
  branch_versions: (n, variant = 0) => ({
    branch: uuid(n),
    version: 1,
    commitment: "",
    origin: ["gateway"],
    createTime: variant,
  }),
  recipients: (n, variant = 0) => ({
    id: uuid(n),
    namespace: "default",
    providerUid: "uid-a",
    nativeRef: `ref-${String(variant)}`,
    dedicatedTo: null,
    createTime: 1,
  }),
  wraps: (n, variant = 0) => ({
    id: `bnd_${uuid(n)}`,
    branch: uuid(n),
    branchVersion: 1,
    recipient: uuid(n),
    wrap: `wrap ${String(variant)}`,
    desired: "enabled",
    quarantine: null,
    createTime: 1,
  }),
  bindings: (n, variant = 0) => ({
    id: `bnd_${uuid(n)}`,
    key: keyId(n),
    version: 1,
    providerUid: "uid-a",
    nativeRef: `ref-${String(n)}`,
    publicKey: null,
    reached: "enabled",
    changeTime: 1 + variant,
    quarantine: null,
    createTime: 1,
  }),
  providers: (n, variant = 0) => ({
    uid: `uid-${String(n)}`,
    name: `name-${String(variant)}`,
    kind: "local-hsm",
    canary: "ref",
    firstUseTime: 1,
  }),
  drains: (n, variant = 0) => ({
    provider: `provider-${String(n)}`,
    drained: true,
    share: 1,
    by: "cli_1",
    reason: "",
    time: variant,
  }),
  clients: (n, variant = 0) => clientRecord("user", { id: `cli_${uuid(n)}`, name: `client ${String(variant)}` }),
  credentials: (n, variant = 0) => ({
    id: `crd_${uuid(n)}`,
    client: `cli_${uuid(n)}`,
    kind: "api-key",
    person: "admin",
    hint: `hint ${String(variant)}`,
    digest: `digest-${String(n)}`,
    subject: null,
    state: "active",
    expireTime: null,
    createTime: 1,
  }),
  secrets: (n, variant = 0) => ({
    id: `secret-${String(n)}`,
    sealed: `sealed ${String(variant)}`,
    publicKey: null,
    rootVersion: 1,
    createTime: 1,
  }),
  history: (n, variant = 0) => ({ ...history(n, 1), detail: `variant ${String(variant)}` }),
};

/** Writes the record of a table that {@link RECORDS} makes. */
export function putRecord<T extends SealedTable>(table: T, record: SealedTables[T], ifRevision: number): Mutation {
  const id = (ROW_IDS[table] as (record: SealedTables[T]) => string)(record);
  return { table, id, record, ifRevision } as Mutation;
}
