import type { AlgorithmName } from "#core/algorithms.ts";
import type { Mutation } from "#core/catalog.ts";
import type { Custody } from "#core/custody.ts";
import { KmsError } from "#core/errors.ts";
import { createId, type KeyId } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { Purpose } from "#core/purposes.ts";
import type { BranchRecord, KeyRecord, Lifecycle, NamespaceRecord, VersionRecord } from "#core/records.ts";
import { placeKey, type CustodyRequest, type PlacedKey } from "#policy/place-key.ts";
import { createBranch, findBranch, namespaceOf, type NewBranch, type Placement } from "./branch.ts";
import { branchKeyOf } from "./branch-key.ts";
import { audited, type ChangeRecord } from "./audited.ts";
import type { Caller, Changed } from "./caller.ts";
import { currentKey, historyMutation, keyMutation } from "./change-key.ts";
import { type KeyView, viewKey } from "./key-view.ts";
import { once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import { takeTurn } from "./placing.ts";
import { requirePermission } from "./require.ts";
import { sealNewVersion } from "./seal-version.ts";

/** What a new key should be; a member that is undefined takes its default (api.md § 5). Times are epoch milliseconds. */
export type KeyRequest = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly owner: string;
  readonly contacts: readonly string[];
  readonly dataClass: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly algorithm: AlgorithmName | undefined;
  readonly custody: CustodyRequest | undefined;
  readonly extractable: boolean;
  readonly sensitive: boolean;
  readonly activate: boolean | undefined;
  readonly activateTime: number | null;
  readonly protectStopTime: number | null;
  readonly deactivateTime: number | null;
  /** Undefined: 365 for portable keys; null: never. */
  readonly rotateEveryDays: number | null | undefined;
  readonly onState: "stop" | "continue" | undefined;
};

const DAY_MS = 86_400_000;
const DEFAULT_ROTATION_DAYS = 365;

/**
 * Creates a portable key: places it, finds or makes its branch, seals its first version, journals, records. Calls no cloud where the
 * placement has a branch already.
 *
 * @throws {KmsError} `NAME_TAKEN`, `REQUIREMENT_UNMET`, `UNSUPPORTED_COMBINATION`, `QUORUM_NOT_REACHED`; nothing is then visible.
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
      return { value, status: caller.dryRun ? 200 : 201 };
    },
  });
}

type Create = {
  readonly namespace: NamespaceRecord;
  readonly request: KeyRequest;
  readonly keep: Parameters<Parameters<typeof once>[2]["run"]>[0];
  readonly record: ChangeRecord;
};

async function create(
  parts: BrokerParts,
  caller: Caller,
  { namespace, request, keep, record }: Create,
): Promise<KeyView> {
  requireFreeNames(parts, namespace, request);
  const placed = placeKey(parts.policy(), { ...request, namespace: namespace.name });
  const id = createId("key", parts.sources);
  record.key = id;
  record.keyVersion = 1;
  const draft = keyRecord(parts, caller, { id, namespace, request, placed });
  if (caller.dryRun) return viewKey(parts, draft);
  const placement = placementOf(namespace, placed, id);
  using _ = await takeTurn(parts, caller, placement);
  const { branch, branchKey, fresh } = await obtainBranch(parts, caller, { placement, record });
  try {
    const key: KeyRecord = { ...draft, branch: branch.id };
    const version = sealNewVersion(parts, {
      namespace,
      key,
      number: 1,
      branch,
      branchKey,
      lifecycle: lifecycleOf(key),
    });
    const entry: JournalEntry = { type: "version", namespace, key, version };
    await parts.journal.append([...(fresh?.journal ?? []), entry]);
    await recordKey(parts, caller, { key, version, fresh, keep });
    return viewKey(parts, currentKey(parts.catalog, id));
  } finally {
    if (fresh !== undefined) branchKey.fill(0);
  }
}

type Recorded = {
  readonly key: KeyRecord;
  readonly version: VersionRecord;
  readonly fresh: NewBranch | undefined;
  readonly keep: Create["keep"];
};

async function recordKey(parts: BrokerParts, caller: Caller, { key, version, fresh, keep }: Recorded): Promise<void> {
  await parts.store.change((catalog) => {
    const idempotency = keep(201, `/v1/keys/${key.id}`);
    const mutations: readonly Mutation[] = [
      ...(fresh?.mutations ?? []).filter(
        (row) => row.table !== "recipients" || catalog.recipient(row.id as never) === undefined,
      ),
      keyMutation(catalog, key),
      { table: "versions", id: `${key.id}/1`, record: version, ifRevision: 0 },
      historyMutation(caller, undefined, key, { action: "create" }),
    ];
    return { mutations, result: undefined, ...(idempotency === undefined ? {} : { idempotency }) };
  });
}

function placementOf(namespace: NamespaceRecord, { route, custody }: PlacedKey, id: KeyId): Placement {
  return { namespace, route, custody, dedicatedTo: custody.dedicated ? id : null };
}

type Obtain = { readonly placement: Placement; readonly record: ChangeRecord };
type Obtained = { readonly branch: BranchRecord; readonly branchKey: Buffer; readonly fresh: NewBranch | undefined };

async function obtainBranch(parts: BrokerParts, caller: Caller, { placement, record }: Obtain): Promise<Obtained> {
  const call = { requestId: caller.requestId, deadline: caller.deadline, trace: record };
  const branch = findBranch(parts, placement);
  if (branch !== undefined)
    return { branch, branchKey: await branchKeyOf(parts, branch, branch.primaryVersion, call), fresh: undefined };
  const fresh = await createBranch(parts, placement, call);
  return { branch: fresh.branch, branchKey: fresh.branchKey, fresh };
}

function requireFreeNames(parts: BrokerParts, namespace: NamespaceRecord, { name, aliases }: KeyRequest): void {
  for (const text of [name, ...aliases]) {
    const holder = parts.catalog.keyByName(namespace.name, text);
    if (holder !== undefined) throw new KmsError("NAME_TAKEN", `name: ${text} is taken`, { metadata: { name: text } });
  }
}

type Draft = {
  readonly id: KeyId;
  readonly namespace: NamespaceRecord;
  readonly request: KeyRequest;
  readonly placed: PlacedKey;
};

function keyRecord(parts: BrokerParts, caller: Caller, { id, namespace, request, placed }: Draft): KeyRecord {
  const now = parts.sources.clock.now();
  const active = isBornActive(namespace, request, now);
  const everyDays = request.rotateEveryDays === undefined ? DEFAULT_ROTATION_DAYS : request.rotateEveryDays;
  const { name, aliases, labels, description, owner, contacts, dataClass, attributes, purpose } = request;
  return {
    ...birthLifecycle(request, active),
    id,
    namespace: namespace.name,
    name,
    aliases,
    labels,
    description,
    owner,
    contacts,
    dataClass,
    attributes,
    purpose,
    algorithm: placed.algorithm,
    custody: placed.custody satisfies Custody,
    origin: "generated",
    exportability: {
      extractable: request.extractable,
      neverExtractable: !request.extractable,
      sensitive: request.sensitive,
      alwaysSensitive: request.sensitive,
      fresh: true,
    },
    links: [],
    hold: null,
    primaryVersion: active ? 1 : null,
    pendingVersion: null,
    pendingTime: null,
    latestVersion: 1,
    rotation: {
      everyDays,
      maxMessages: null,
      maxBytes: null,
      nextTime: everyDays === null ? null : now + everyDays * DAY_MS,
    },
    onState: request.onState ?? placed.onState,
    route: placed.route,
    branch: null,
    generation: 1,
    createTime: now,
    updateTime: now,
    createdBy: caller.principal.client.id,
  };
}

function isBornActive(namespace: NamespaceRecord, { activate, activateTime }: KeyRequest, now: number): boolean {
  if (activateTime !== null && activateTime > now) return false;
  return activate ?? namespace.activation === "automatic";
}

function birthLifecycle({ activateTime, protectStopTime, deactivateTime }: KeyRequest, active: boolean): Lifecycle {
  return {
    state: active ? "active" : "generated",
    stateReason: active ? null : "created",
    processing: null,
    previousReason: null,
    activateTime,
    protectStopTime,
    deactivateTime,
    destroyTime: null,
    compromiseOccurrenceTime: null,
  };
}

/** A first version is in the state of its key; its key's dates clip it. */
function lifecycleOf(key: KeyRecord): Lifecycle {
  const { state, stateReason, activateTime } = key;
  return {
    state,
    stateReason,
    activateTime,
    processing: null,
    previousReason: null,
    protectStopTime: null,
    deactivateTime: null,
    destroyTime: null,
    compromiseOccurrenceTime: null,
  };
}
