import type { Catalog, Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { type BranchRecord, type KeyRecord, type Lifecycle, type VersionRecord, versionRowId } from "#core/records.ts";
import { namespaceOf } from "./branch.ts";
import { branchKeyOf } from "./branch-key.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation } from "./change-key.ts";
import { noRotation } from "./create-key.ts";
import type { KeyView } from "./key-view.ts";
import { nativeBindingOf } from "./native-call.ts";
import { discardNativeKey, makeNativeKey, nativeBinding, type NativeKey } from "./native-key.ts";
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
 * Gives the key a new version from fresh material; old versions go on opening what they made. A portable key calls no cloud while its branch
 * key is warm; a native one has its provider make another key.
 * @throws {KmsError} `ILLEGAL_TRANSITION` outside `active`, or while a published version still waits.
 */
export async function rotateKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  input: RotateInput,
): Promise<Changed<KeyView>> {
  let made: NewVersion | undefined;
  try {
    return await changeKey(parts, caller, reference, {
      action: "rotate",
      permission: "keys.rotate",
      explanation: input,
      prepare: async (key, trace) => {
        requireRotatable(parts, key);
        made =
          key.custody.kind === "portable"
            ? { version: await prepareVersion(parts, caller, key, trace), native: undefined }
            : await prepareNative(parts, caller, key, trace);
      },
      decide: (current, catalog, now) => {
        requireRotatable(parts, current);
        if (made === undefined || current.latestVersion + 1 !== made.version.version) throw raced();
        const mutations = newVersionRows(parts, catalog, current, made);
        return { next: rotated(parts, current, { now, prepublishSeconds: input.prepublishSeconds }), mutations };
      },
    });
  } catch (error) {
    await discardUnrecorded(parts, caller, made);
    throw error;
  }
}

/** A version before it is recorded: portable ones are sealed and in the journal, native ones made by their provider. */
type NewVersion = { readonly version: VersionRecord; readonly native: NativeKey | undefined };

function newVersionRows(
  parts: BrokerParts,
  catalog: Catalog,
  key: KeyRecord,
  { version, native }: NewVersion,
): readonly Mutation[] {
  const id = versionRowId(key.id, version.version);
  const row: Mutation = { table: "versions", id, record: version, ifRevision: catalog.revisionOf("versions", id) };
  if (native === undefined) return [row];
  const binding = nativeBinding(parts, key, version.version, native);
  return [row, { table: "bindings", id: binding.id, record: binding, ifRevision: 0 }];
}

/** A native version is a key of its own in the provider that has the one before. */
async function prepareNative(parts: BrokerParts, caller: Caller, key: KeyRecord, trace: Trace): Promise<NewVersion> {
  const number = key.latestVersion + 1;
  const { providerUid } = nativeBindingOf(parts, key, key.latestVersion);
  const version: VersionRecord = {
    ...ACTIVE,
    key: key.id,
    version: number,
    branch: null,
    branchVersion: null,
    seal: null,
    createTime: parts.sources.clock.now(),
  };
  if (caller.dryRun) return { version, native: undefined };
  const native = await makeNativeKey(parts, caller, {
    candidates: [parts.fleet.memberByUid(providerUid)?.name ?? ""],
    algorithm: key.algorithm,
    marker: `key-${uuidOfKey(key.id)}-${number}`,
    description: `claviger key ${key.name}`,
    extractable: key.exportability.extractable,
    trace,
    patienceMs: Number.MAX_SAFE_INTEGER,
  });
  if (native.pending) throw stillMaking();
  return { version, native };
}

/** The marker names key and version: where another rotation came first, it recorded this same key. */
async function discardUnrecorded(parts: BrokerParts, caller: Caller, made: NewVersion | undefined): Promise<void> {
  const native = made?.native;
  if (native === undefined || parts.catalog.bindingOf(native.holder.uid, native.nativeRef) !== undefined) return;
  await discardNativeKey(parts, caller, native);
}

/** The next version, sealed and in the journal; nothing names it before the change is written. */
async function prepareVersion(
  parts: BrokerParts,
  caller: Caller,
  key: KeyRecord,
  trace: Trace,
): Promise<VersionRecord> {
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
  if (key.origin === "imported") throw noRotation();
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

/** The marker names key and version: the same rotation, asked for again, goes on with the key that is being made. */
function stillMaking(): KmsError {
  return new KmsError("UNKNOWN_OUTCOME", "the provider is still making the next version", {
    help: "rotate again with the same Idempotency-Key: that goes on with it",
  });
}
