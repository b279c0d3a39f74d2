import type { Mutation } from "#core/catalog.ts";
import { type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";
import { uuidOfKey } from "#core/ids.ts";
import { sha256 } from "#envelope/sha256.ts";
import type { ChangeRecord } from "./audited.ts";
import type { Caller } from "./caller.ts";
import { historyMutation, keyMutation } from "./change-key.ts";
import { firstLifecycle } from "./key-draft.ts";
import { discardNativeKey, makeNativeKey, nativeBinding, type NativeKey } from "./native-key.ts";
import type { Keep } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import type { Release } from "./release-names.ts";

export type CreateNative = {
  readonly draft: KeyRecord;
  readonly candidates: readonly string[];
  readonly keep: Keep;
  readonly record: ChangeRecord;
  readonly release: Release;
};

/** Has a provider make the key, and records it with its binding. What cannot be recorded is discarded over there. */
export async function createNative(
  parts: BrokerParts,
  caller: Caller,
  { draft, candidates, keep, record, release }: CreateNative,
): Promise<void> {
  const { algorithm, name, exportability } = draft;
  const { extractable } = exportability;
  const description = `claviger key ${name}`;
  const wish = { candidates, algorithm, description, extractable, trace: record, patienceMs: PATIENCE_MS };
  const native = await makeUnbound(parts, caller, { ...wish, markers: markersOf(caller, draft) });
  const custody = { kind: "native" as const, provider: native.holder.name };
  const key: KeyRecord = native.pending ? awaiting({ ...draft, custody }) : { ...draft, custody };
  try {
    await recordKey(parts, caller, { key, native, keep, release });
  } catch (error) {
    if (parts.catalog.bindingOf(native.holder.uid, native.nativeRef) === undefined)
      await discardNativeKey(parts, caller, native);
    throw error;
  }
}

/** Longer than a cloud takes as a rule; whoever asks for a key need not wait for an exception. */
const PATIENCE_MS = 3000;

/** A key that its provider is still making: it becomes what it was wished to be when that is done ({@link finishCreation}). */
function awaiting(draft: KeyRecord): KeyRecord {
  if (draft.state !== "active") return { ...draft, stateReason: "awaiting-material" };
  const activateTime = draft.activateTime ?? draft.createTime;
  return { ...draft, state: "generated", stateReason: "awaiting-material", activateTime, primaryVersion: null };
}

type Unbound = Omit<Parameters<typeof makeNativeKey>[2], "marker"> & { readonly markers: readonly string[] };

/** A marker may lead to a key that an older request has made and recorded: then it is another key's, and the next marker is taken. */
async function makeUnbound(parts: BrokerParts, caller: Caller, { markers, ...wish }: Unbound): Promise<NativeKey> {
  const [marker = "", ...others] = markers;
  const native = await makeNativeKey(parts, caller, { ...wish, marker });
  if (others.length === 0 || parts.catalog.bindingOf(native.holder.uid, native.nativeRef) === undefined) return native;
  return await makeUnbound(parts, caller, { ...wish, markers: others });
}

/**
 * A request that is repeated with its Idempotency-Key finds what its first try had made, though nothing was recorded of it; one without
 * finds nothing.
 */
function markersOf({ idempotency, principal }: Caller, draft: KeyRecord): readonly string[] {
  const own = `key-${uuidOfKey(draft.id)}-1`;
  if (idempotency === undefined) return [own];
  const { key, bodyDigest } = idempotency;
  const digest = sha256(Buffer.from(JSON.stringify([principal.credentialId, key, bodyDigest])));
  return [`op-${digest.toString("hex").slice(0, 48)}`, own];
}

type Recorded = {
  readonly key: KeyRecord;
  readonly native: NativeKey;
  readonly keep: Keep;
  readonly release: Release;
};

async function recordKey(parts: BrokerParts, caller: Caller, { key, native, keep, release }: Recorded): Promise<void> {
  const version: VersionRecord = {
    ...firstLifecycle(key),
    key: key.id,
    version: 1,
    branch: null,
    branchVersion: null,
    seal: null,
    createTime: key.createTime,
  };
  const binding = nativeBinding(parts, key, 1, native);
  await parts.store.change((catalog) => {
    const idempotency = keep(native.pending ? 202 : 201, `/v1/keys/${key.id}`);
    const mutations: readonly Mutation[] = [
      ...release(catalog, key),
      keyMutation(catalog, key),
      { table: "versions", id: versionRowId(key.id, 1), record: version, ifRevision: 0 },
      { table: "bindings", id: binding.id, record: binding, ifRevision: 0 },
      historyMutation(caller, undefined, key, { action: "create" }),
    ];
    return { mutations, result: undefined, ...(idempotency === undefined ? {} : { idempotency }) };
  });
}
