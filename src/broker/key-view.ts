import type { KeyRecord } from "#core/records.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { currentName } from "./fleet.ts";
import { MAX_PORTABLE_PLAINTEXT_BYTES } from "./encrypt.ts";
import { primaryVersion } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

/** On how many of its recorded recipients the primary version stands. */
export type Replication = {
  readonly wanted: number;
  readonly ready: number;
  readonly minimum: number;
  readonly missing: readonly string[];
};

/** A key as a caller sees it now: dates applied, counts added. */
export type KeyView = {
  readonly key: KeyRecord;
  readonly replication: Replication;
  readonly lastUseTime: number | null;
  /** Null if the purpose has none. */
  readonly maxPlaintextBytes: number | null;
  /** Until when its branch key, if it is warm, works without any provider: epoch milliseconds. */
  readonly hardTtlTime: number | null;
  /** Processes that had not applied a restriction when the call answered. */
  readonly unconfirmed: readonly string[];
};

export function viewKey(parts: BrokerParts, key: KeyRecord, unconfirmed: readonly string[] = []): KeyView {
  const lifecycle = effectiveLifecycle(key, parts.sources.clock.now());
  const primary = primaryVersion(parts, key);
  const pending = key.pendingVersion === primary ? null : key.pendingVersion;
  return {
    key: { ...lifecycle, custody: currentCustody(parts, key), primaryVersion: primary, pendingVersion: pending },
    replication: replicationOf(parts, key, primary ?? key.latestVersion),
    lastUseTime: parts.store.lastUse(key.id) ?? null,
    maxPlaintextBytes: key.purpose === "encrypt" ? maxPlaintext(parts, key, primary ?? key.latestVersion) : null,
    hardTtlTime: hardTtl(parts, key, primary ?? key.latestVersion),
    unconfirmed,
  };
}

/** A native key's provider by the name that it has now. */
function currentCustody({ catalog, fleet }: BrokerParts, key: KeyRecord): KeyRecord["custody"] {
  if (key.custody.kind !== "native") return key.custody;
  const uid = catalog.bindings(key.id, key.latestVersion)[0]?.providerUid;
  return {
    kind: "native",
    provider: (uid === undefined ? undefined : fleet.memberByUid(uid)?.name) ?? key.custody.provider,
  };
}

/** For a native key what its provider takes; null while that has not been reached. */
function maxPlaintext({ catalog, fleet }: BrokerParts, key: KeyRecord, version: number): number | null {
  if (key.custody.kind === "portable") return MAX_PORTABLE_PLAINTEXT_BYTES;
  const uid = catalog.bindings(key.id, version)[0]?.providerUid;
  const member = uid === undefined ? fleet.member(firstHolder(key)) : fleet.memberByUid(uid);
  const row = member?.facts.rows?.find((one) => one.operation === "encrypt" && one.algorithm === key.algorithm);
  return row?.maxInputBytes ?? null;
}

function firstHolder({ custody }: KeyRecord): string {
  return custody.kind === "native" ? custody.provider : (custody.holders[0] ?? "");
}

/** What the branch version under a key version has, against what its branch should have. */
export function replicationOf(
  { catalog, fleet }: Pick<BrokerParts, "catalog" | "fleet">,
  key: KeyRecord,
  version: number,
): Replication {
  if (key.custody.kind !== "portable") return nativeReplication({ catalog, fleet }, key, version);
  const branch = key.branch === null ? undefined : catalog.branch(key.branch);
  const branchVersion = catalog.version(key.id, version)?.branchVersion ?? null;
  if (branch === undefined || branchVersion === null) return { wanted: 0, ready: 0, minimum: 0, missing: [] };
  const holding = new Set(
    catalog
      .wraps(branch.id, branchVersion)
      .filter((wrap) => wrap.quarantine === null && wrap.desired !== "destroyed")
      .map((wrap) => catalog.recipient(wrap.recipient)?.providerUid)
      // a wrap of a key service that the configuration no longer leads to opens nothing
      .filter((uid) => uid !== undefined && fleet.memberByUid(uid) !== undefined),
  );
  const missing = branch.recipients
    .filter(({ uid }) => uid === null || !holding.has(uid))
    .map((recipient) => currentName(fleet, recipient));
  return {
    wanted: branch.recipients.length,
    ready: branch.recipients.length - missing.length,
    minimum: branch.minimum,
    missing,
  };
}

function nativeReplication(
  { catalog, fleet }: Pick<BrokerParts, "catalog" | "fleet">,
  key: KeyRecord,
  version: number,
): Replication {
  const bindings = catalog.bindings(key.id, version);
  const ready = bindings.filter(
    ({ quarantine, providerUid }) => quarantine === null && fleet.memberByUid(providerUid) !== undefined,
  ).length;
  return { wanted: 1, ready: Math.min(1, ready), minimum: 1, missing: ready > 0 ? [] : [firstHolder(key)] };
}

function hardTtl(parts: BrokerParts, key: KeyRecord, version: number): number | null {
  const record = parts.catalog.version(key.id, version);
  if (record?.branch === undefined || record.branch === null || record.branchVersion === null) return null;
  return parts.branchKeys.state(record.branch, record.branchVersion)?.expiresAt ?? null;
}
