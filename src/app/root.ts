import { timingSafeEqual } from "node:crypto";
import type { Mutation } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import { createId, createUuid, uuidOfKey } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import {
  branchVersionRowId,
  type KeyRecord,
  type NamespaceRecord,
  type VersionRecord,
  versionRowId,
} from "#core/records.ts";
import type { BranchRecord, BranchVersionRecord, RecipientRecord, WrapRecord } from "#core/records.ts";
import { SYSTEM_NAMESPACE } from "#broker/namespaces.ts";
import { createKeyMaterial } from "#envelope/new-key.ts";
import { deriveRowKey, rootCommitment } from "#envelope/root-key.ts";
import { openVersionKey, sealVersionKey } from "#envelope/version-seal.ts";
import { branchCommitment } from "#envelope/wrap-payload.ts";
import { noRecipient } from "./sealed.ts";
import type { RootPin } from "#store/state-folder.ts";
import type { SystemRows } from "#store/system-rows.ts";

/** The name of the root key in namespace `system`. */
export const ROOT_KEY_NAME = "root";

/** A root key in memory: its version, its 32 bytes, and what follows from them. The holder zeroes `material`. */
export type RootKey = { readonly version: number; readonly material: Buffer; readonly rowKey: Buffer };

/** A wrap of the system branch, with all that its opening is checked against. */
export type SystemWrap = {
  readonly namespace: NamespaceRecord;
  readonly branchVersion: BranchVersionRecord;
  readonly recipient: RecipientRecord;
  readonly wrap: WrapRecord;
};

/** Opens one wrap through its provider. Rejects if that provider cannot, or opens it to other bytes. */
export type OpenSystemWrap = (wrap: SystemWrap) => Promise<Buffer>;

/**
 * Opens every root version that the rows name, through any one recipient, and holds each against the pin: nothing in the rows is
 * believed before that.
 *
 * @throws {KmsError} `SEALED` where no recipient opens, or what opens is not what the pin says
 */
export async function openRoot(
  rows: SystemRows,
  { pins, open }: { readonly pins: readonly RootPin[]; readonly open: OpenSystemWrap },
): Promise<readonly RootKey[]> {
  const { namespace } = rows;
  const key = rows.keys.find(({ name }) => name === ROOT_KEY_NAME);
  if (namespace === undefined || key === undefined) throw sealed("the database has no root key");
  const roots: RootKey[] = [];
  for (const version of rows.versions.filter((row) => row.key === key.id)) {
    roots.push(await openRootVersion(rows, { namespace, key, version, pins, open }));
  }
  if (roots.length === 0) throw sealed("the database has no version of the root key");
  return roots;
}

type RootVersion = {
  readonly namespace: NamespaceRecord;
  readonly key: KeyRecord;
  readonly version: VersionRecord;
  readonly pins: readonly RootPin[];
  readonly open: OpenSystemWrap;
};

async function openRootVersion(
  rows: SystemRows,
  { namespace, key, version, pins, open }: RootVersion,
): Promise<RootKey> {
  const branchKey = await openSystemBranch(rows, { namespace, version, open });
  try {
    const material = openVersionKey({
      branchKey,
      namespace: namespace.id,
      key: uuidOfKey(key.id),
      version: version.version,
      branch: branchOf(version),
      branchVersion: version.branchVersion ?? 0,
      seal: Buffer.from(version.seal ?? "", "base64"),
    });
    requirePinned(
      rootCommitment({ rootKey: material, keyUuid: uuidOfKey(key.id), version: version.version }),
      version.version,
      pins,
    );
    return { version: version.version, material, rowKey: deriveRowKey(material) };
  } catch (error) {
    if (error instanceof KmsError && error.code === "INTEGRITY_FAILURE")
      throw sealed("the root key's row does not open", error);
    throw error;
  } finally {
    branchKey.fill(0);
  }
}

function branchOf(version: VersionRecord): NonNullable<VersionRecord["branch"]> {
  if (version.branch === null) throw sealed("the root key's row names no branch");
  return version.branch;
}

type SystemBranch = {
  readonly namespace: NamespaceRecord;
  readonly version: VersionRecord;
  readonly open: OpenSystemWrap;
};

async function openSystemBranch(rows: SystemRows, { namespace, version, open }: SystemBranch): Promise<Buffer> {
  const branchVersion = rows.branchVersions.find(
    (row) => row.branch === version.branch && row.version === version.branchVersion,
  );
  if (branchVersion === undefined) throw sealed("the database has no branch for the root key");
  const attempts = rows.wraps
    .filter((wrap) => wrap.branch === branchVersion.branch && wrap.branchVersion === branchVersion.version)
    .map(async (wrap) => {
      const recipient = rows.recipients.find(({ id }) => id === wrap.recipient);
      if (recipient === undefined) throw new Error("the wrap names no recipient");
      return await open({ namespace, branchVersion, recipient, wrap });
    });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const reasons =
      error instanceof AggregateError
        ? error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one)))
        : [];
    throw noRecipient(`no provider opens the root key${reasons.length === 0 ? "" : ` (${reasons.join("; ")})`}`, error);
  }
}

function requirePinned(commitment: Buffer, version: number, pins: readonly RootPin[]): void {
  const pin = pins.find(({ rootVersion }) => rootVersion === version);
  const pinned = pin === undefined ? undefined : Buffer.from(pin.commitment, "base64");
  if (pinned?.length === commitment.length && timingSafeEqual(pinned, commitment)) return;
  throw sealed(`the root key in the database (version ${version}) is not the one that state/root.json pins`);
}

export function sealed(message: string, cause?: unknown): KmsError {
  return new KmsError("SEALED", message, { cause });
}

/** A root key that was made just now, with everything that is still to be written. */
export type FirstRoot = {
  readonly root: RootKey;
  readonly pin: RootPin;
  readonly mutations: readonly Mutation[];
  readonly journal: readonly JournalEntry[];
};

/** Wraps the system branch under whoever answers; rejects if nobody does. Recipients and wraps come back, nothing is written. */
export type WrapSystemBranch = (target: {
  readonly namespace: NamespaceRecord;
  readonly branch: BranchRecord;
  readonly branchKey: Buffer;
}) => Promise<readonly { readonly recipient: RecipientRecord; readonly wrap: WrapRecord }[]>;

/**
 * Makes the namespace `system` and the root key in it. One wrap is enough for it to be used: the start must not wait for a cloud, and the
 * others are filled in like any other's.
 */
export async function createRoot(
  sources: Sources,
  { holders, wrap }: { readonly holders: BranchRecord["recipients"]; readonly wrap: WrapSystemBranch },
): Promise<FirstRoot> {
  const now = sources.clock.now();
  const namespace = systemNamespace(sources);
  const branchKey = createKeyMaterial(sources.random);
  const branch: BranchRecord = {
    id: createUuid(sources),
    namespace: namespace.name,
    recipients: holders,
    minimum: 1,
    threshold: 1,
    route: SYSTEM_NAMESPACE,
    dedicatedTo: null,
    primaryVersion: 1,
    createTime: now,
  };
  try {
    const commitment = branchCommitment({
      key: branchKey,
      ids: { namespace: namespace.id, branch: branch.id, branchVersion: 1 },
    }).toString("base64");
    const branchVersion: BranchVersionRecord = {
      branch: branch.id,
      version: 1,
      commitment,
      origin: ["gateway"],
      createTime: now,
    };
    const wraps = await wrap({ namespace, branch, branchKey });
    const material = createKeyMaterial(sources.random);
    const key = rootKeyRecord(sources, branch);
    const version = rootVersionRecord({ namespace, key, branch, branchKey, material, now });
    const pinned = rootCommitment({ rootKey: material, keyUuid: uuidOfKey(key.id), version: 1 }).toString("base64");
    return {
      root: { version: 1, material, rowKey: deriveRowKey(material) },
      pin: { rootVersion: 1, commitment: pinned },
      mutations: rowsOf({ namespace, branch, branchVersion, wraps, key, version }),
      journal: [
        { type: "branch", namespace, branch, branchVersion },
        ...wraps.map((written): JournalEntry => ({ type: "wrap", namespace, commitment, ...written })),
        { type: "version", namespace, key, version },
      ],
    };
  } finally {
    branchKey.fill(0);
  }
}

function systemNamespace(sources: Sources): NamespaceRecord {
  const id = createUuid(sources);
  return {
    id,
    name: SYSTEM_NAMESPACE,
    dualControl: true,
    approvers: 1,
    activation: "automatic",
    createTime: sources.clock.now(),
  };
}

type Rows = {
  readonly namespace: NamespaceRecord;
  readonly branch: BranchRecord;
  readonly branchVersion: BranchVersionRecord;
  readonly wraps: Awaited<ReturnType<WrapSystemBranch>>;
  readonly key: KeyRecord;
  readonly version: VersionRecord;
};

function rowsOf({ namespace, branch, branchVersion, wraps, key, version }: Rows): readonly Mutation[] {
  return [
    { table: "namespaces", id: namespace.name, record: namespace, ifRevision: 0 },
    { table: "branches", id: branch.id, record: branch, ifRevision: 0 },
    { table: "branch_versions", id: branchVersionRowId(branch.id, 1), record: branchVersion, ifRevision: 0 },
    ...wraps.flatMap(({ recipient, wrap }): readonly Mutation[] => [
      { table: "recipients", id: recipient.id, record: recipient, ifRevision: 0 },
      { table: "wraps", id: wrap.id, record: wrap, ifRevision: 0 },
    ]),
    { table: "keys", id: key.id, record: key, ifRevision: 0 },
    { table: "versions", id: versionRowId(key.id, 1), record: version, ifRevision: 0 },
  ];
}

type RootRow = {
  readonly namespace: NamespaceRecord;
  readonly key: KeyRecord;
  readonly branch: BranchRecord;
  readonly branchKey: Buffer;
  readonly material: Buffer;
  readonly now: number;
};

function rootVersionRecord({ namespace, key, branch, branchKey, material, now }: RootRow): VersionRecord {
  const place = { namespace: namespace.id, key: uuidOfKey(key.id), version: 1, branch: branch.id, branchVersion: 1 };
  const seal = sealVersionKey({ ...place, branchKey, versionKey: material });
  return {
    ...ACTIVE,
    key: key.id,
    version: 1,
    branch: branch.id,
    branchVersion: 1,
    seal: seal.toString("base64"),
    createTime: now,
  };
}

const ACTIVE = {
  state: "active",
  stateReason: null,
  processing: null,
  previousReason: null,
  activateTime: null,
  protectStopTime: null,
  deactivateTime: null,
  destroyTime: null,
  compromiseOccurrenceTime: null,
} as const;

function rootKeyRecord(sources: Sources, branch: BranchRecord): KeyRecord {
  const now = sources.clock.now();
  return {
    ...ACTIVE,
    id: createId("key", sources),
    namespace: SYSTEM_NAMESPACE,
    name: ROOT_KEY_NAME,
    aliases: [],
    labels: {},
    description: "seals rows, links, the journal and the gateway's own secrets",
    owner: "",
    contacts: [],
    dataClass: "",
    attributes: {},
    purpose: "wrap",
    algorithm: "AES-KWP",
    custody: {
      kind: "portable",
      holders: branch.recipients.map(({ provider }) => provider),
      minimum: 1,
      threshold: 1,
      dedicated: false,
    },
    origin: "generated",
    exportability: { extractable: false, neverExtractable: true, sensitive: true, alwaysSensitive: true, fresh: true },
    links: [],
    hold: null,
    primaryVersion: 1,
    pendingVersion: null,
    pendingTime: null,
    latestVersion: 1,
    rotation: { everyDays: null, maxMessages: null, maxBytes: null, nextTime: null },
    onState: "stop",
    route: "system",
    branch: branch.id,
    generation: 1,
    createTime: now,
    updateTime: now,
    createdBy: "system",
  };
}
