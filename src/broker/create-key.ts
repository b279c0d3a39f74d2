import type { Custody } from "#core/custody.ts";
import { KmsError } from "#core/errors.ts";
import { createId, type KeyId } from "#core/ids.ts";
import { isUnfinished, type KeyRecord, type NamespaceRecord } from "#core/records.ts";
import { placeKey, type PlacedKey } from "#policy/place-key.ts";
import { namespaceOf } from "./branch.ts";
import { audited, type ChangeRecord } from "./audited.ts";
import type { Caller, Changed } from "./caller.ts";
import { currentKey, historyMutation, keyMutation } from "./change-key.ts";
import { createNative } from "./create-native.ts";
import { createPortable } from "./create-portable.ts";
import { type KeyRequest, keyRecord } from "./key-draft.ts";
import { type KeyView, viewKey } from "./key-view.ts";
import { type Keep, once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import type { RotationLimits } from "./rotation-limits.ts";
import { type Release, releaseNames, releaseNothing } from "./release-names.ts";
import { requirePermission } from "./require.ts";

/**
 * Creates a key: places it, makes its first version, records it. A portable key calls no cloud where its placement has a branch already; a
 * native one is made by its provider.
 *
 * @throws {KmsError} `NAME_TAKEN`, `REQUIREMENT_UNMET`, `UNSUPPORTED_COMBINATION`, `QUORUM_NOT_REACHED`, `NO_PROVIDER`; nothing is then
 *   visible. `UNKNOWN_OUTCOME` where a provider did not say whether it made the key: the same request with its Idempotency-Key goes on with it.
 */
export async function createKey(parts: BrokerParts, caller: Caller, request: KeyRequest): Promise<Changed<KeyView>> {
  requirePermission(caller, "keys.create");
  if (parts.catalog.namespace(caller.namespace) === undefined) await parts.store.refresh();
  const namespace = namespaceOf(parts.catalog, caller.namespace);
  return await once(parts, caller, {
    again: (resource) => viewKey(parts, currentKey(parts.catalog, resource.slice("/v1/keys/".length) as KeyId)),
    run: async (keep) => {
      const told = { operation: "keys.create", detail: { name: request.name } };
      const value = await audited(
        parts,
        caller,
        told,
        async (record) => await create(parts, caller, { namespace, request, keep, record }),
      );
      return { value, status: caller.dryRun ? 200 : isUnfinished(value.key) ? 202 : 201 };
    },
  });
}

type Create = {
  readonly namespace: NamespaceRecord;
  readonly request: KeyRequest;
  readonly keep: Keep;
  readonly record: ChangeRecord;
};

async function create(
  parts: BrokerParts,
  caller: Caller,
  { namespace, request, keep, record }: Create,
): Promise<KeyView> {
  requireFreeNames(parts, namespace, request);
  const imports = request.material === "import";
  if (imports) requireNoRotation(request);
  const placed = placeKey(parts.policy(), { ...request, namespace: namespace.name, imports });
  const id = createId("key", parts.sources);
  record.key = id;
  record.keyVersion = imports ? null : 1;
  const draft = keyRecord(parts, caller, { id, namespace, request, placed, custody: expectedCustody(placed) });
  if (caller.dryRun) return viewKey(parts, draft);
  const release = request.reuseName ? releaseNames(caller) : releaseNothing;
  if (imports) await recordAwaiting(parts, caller, { key: draft, keep, release });
  else if (placed.kind === "portable")
    await createPortable(parts, caller, { namespace, draft, placed, keep, record, release });
  else await createNative(parts, caller, { draft, candidates: placed.candidates, keep, record, release });
  return viewKey(parts, currentKey(parts.catalog, id));
}

/** A key that awaits its material is a row and nothing else: no provider has heard of it. */
async function recordAwaiting(
  parts: BrokerParts,
  caller: Caller,
  { key, keep, release }: { readonly key: KeyRecord; readonly keep: Keep; readonly release: Release },
): Promise<void> {
  await parts.store.change((catalog) => {
    const idempotency = keep(201, `/v1/keys/${key.id}`);
    const mutations = [
      ...release(catalog, key),
      keyMutation(catalog, key),
      historyMutation(caller, undefined, key, { action: "create" }),
    ];
    return { mutations, result: undefined, ...(idempotency === undefined ? {} : { idempotency }) };
  });
}

/** An imported key gets its versions from outside. */
export function requireNoRotation(wish: {
  readonly rotateEveryDays?: number | null | undefined;
  readonly rotationLimits?: RotationLimits;
}): void {
  const { maxMessages, maxBytes } = wish.rotationLimits ?? {};
  const wished = Object.entries({ everyDays: wish.rotateEveryDays, maxMessages, maxBytes });
  const [member] = wished.find(([, value]) => typeof value === "number") ?? [];
  if (member !== undefined) throw noRotation(member);
}

/** Whatever asks for a version that is made, not brought. */
export function noRotation(member = "everyDays"): KmsError {
  const detail = "an imported key has no versions but those that are imported";
  return new KmsError("UNSUPPORTED_COMBINATION", detail, {
    errors: [{ pointer: `/rotation/${member}`, code: "conflict", detail }],
    help: "import its next version when it is due",
  });
}

/** What a key will be if the first candidate makes it. */
function expectedCustody(placed: PlacedKey): Custody {
  return placed.kind === "portable" ? placed.custody : { kind: "native", provider: placed.candidates[0] ?? "" };
}

function requireFreeNames(parts: BrokerParts, namespace: NamespaceRecord, request: KeyRequest): void {
  for (const text of [request.name, ...request.aliases]) {
    const holder = parts.catalog.keyByName(namespace.name, text);
    if (holder === undefined) continue;
    const isFree = holder.state === "destroyed";
    if (isFree && request.reuseName) continue;
    throw new KmsError("NAME_TAKEN", `name: ${text} is taken${isFree ? ", by a destroyed key" : ""}`, {
      metadata: { name: text },
      ...(isFree ? { help: "with reuseName the new key takes it, and the destroyed one goes by its id" } : {}),
    });
  }
}
