import type { Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { type BranchRecord, type KeyRecord, type Lifecycle, type VersionRecord, versionRowId } from "#core/records.ts";
import { namespaceOf } from "./branch.ts";
import { branchKeyOf } from "./branch-key.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation } from "./change-key.ts";
import type { KeyView } from "./key-view.ts";
import { primaryVersion } from "./operate.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";
import { sealNewVersion } from "./seal-version.ts";

const DAY_MS = 86_400_000;

export type RotateInput = Explanation & {
  /** How long the new version is published before it protects; 0: at once. */
  readonly prepublishSeconds: number;
};

/**
 * Gives the key a new version from fresh material; old versions go on opening what they sealed. Calls no cloud while the branch key is warm.
 * @throws {KmsError} `ILLEGAL_TRANSITION` outside `active`, or while a published version still waits.
 */
export async function rotateKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  input: RotateInput,
): Promise<Changed<KeyView>> {
  let version: VersionRecord | undefined;
  return await changeKey(parts, caller, reference, {
    action: "rotate",
    permission: "keys.rotate",
    explanation: input,
    prepare: async (key, trace) => {
      version = await prepareVersion(parts, caller, key, trace);
    },
    decide: (current, catalog, now) => {
      requireRotatable(parts, current);
      if (version === undefined || current.latestVersion + 1 !== version.version) throw raced();
      const id = versionRowId(current.id, version.version);
      const row: Mutation = { table: "versions", id, record: version, ifRevision: catalog.revisionOf("versions", id) };
      return { next: rotated(parts, current, { now, prepublishSeconds: input.prepublishSeconds }), mutations: [row] };
    },
  });
}

/** The next version, sealed and in the journal; nothing names it before the change is written. */
async function prepareVersion(
  parts: BrokerParts,
  caller: Caller,
  key: KeyRecord,
  trace: Trace,
): Promise<VersionRecord> {
  requireRotatable(parts, key);
  const branch = key.branch === null ? undefined : parts.catalog.branch(key.branch);
  if (branch === undefined)
    throw new KmsError("INTEGRITY_FAILURE", "the key's branch has no valid row", { metadata: { keyId: key.id } });
  const { requestId, deadline } = caller;
  const branchKey = await branchKeyOf(parts, branch, branch.primaryVersion, { requestId, deadline, trace });
  const version = sealed(parts, key, branch, branchKey);
  if (!caller.dryRun) {
    await parts.journal.append([
      { type: "version", namespace: namespaceOf(parts.catalog, key.namespace), key, version },
    ]);
  }
  return version;
}

function sealed(parts: BrokerParts, key: KeyRecord, branch: BranchRecord, branchKey: Buffer): VersionRecord {
  const namespace = namespaceOf(parts.catalog, key.namespace);
  return sealNewVersion(parts, { namespace, key, number: key.latestVersion + 1, branch, branchKey, lifecycle: ACTIVE });
}

const ACTIVE: Lifecycle = {
  state: "active",
  stateReason: null,
  processing: null,
  previousReason: null,
  activateTime: null,
  protectStopTime: null,
  deactivateTime: null,
  destroyTime: null,
  compromiseOccurrenceTime: null,
};

function rotated(
  parts: BrokerParts,
  key: KeyRecord,
  { now, prepublishSeconds }: { now: number; prepublishSeconds: number },
): KeyRecord {
  const { everyDays } = key.rotation;
  const rotation = { ...key.rotation, nextTime: everyDays === null ? null : now + everyDays * DAY_MS };
  const latest = { ...key, latestVersion: key.latestVersion + 1, rotation };
  if (prepublishSeconds === 0)
    return { ...latest, primaryVersion: latest.latestVersion, pendingVersion: null, pendingTime: null };
  return {
    ...latest,
    primaryVersion: primaryVersion(parts, key),
    pendingVersion: latest.latestVersion,
    pendingTime: now + prepublishSeconds * 1000,
  };
}

function requireRotatable(parts: BrokerParts, key: KeyRecord): void {
  const now = parts.sources.clock.now();
  if (key.hold !== null) throw new KmsError("KEY_HELD", `the key is held (${key.hold.class}) until a person decides`);
  const { state } = effectiveLifecycle(key, now);
  if (state !== "active") {
    throw new KmsError("ILLEGAL_TRANSITION", `rotate: wanted an active key, it is ${state}`, {
      metadata: { from: state, verb: "rotate" },
    });
  }
  if (key.pendingTime !== null && key.pendingTime > now) {
    throw new KmsError("ILLEGAL_TRANSITION", "rotate: a published version still waits for its time", {
      metadata: { from: state, verb: "rotate" },
    });
  }
}

function raced(): KmsError {
  return new KmsError("PLAN_STALE", "another rotation came first", {
    help: "look at the key, and rotate again if that is still wanted",
  });
}
