import type { Permission } from "#core/access.ts";
import type { Catalog, Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyId } from "#core/ids.ts";
import type { HistoryRecord, KeyRecord } from "#core/records.ts";
import { awaitApplied } from "./applied.ts";
import { audited } from "./audited.ts";
import type { Caller, Changed } from "./caller.ts";
import { keyNotFound, resolveKey } from "./key-reference.ts";
import { type KeyView, viewKey } from "./key-view.ts";
import { once } from "./once.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";
import { requireGeneration, requirePermission } from "./require.ts";

/** Why a person changes a key; the fields of every lifecycle verb. */
export type Explanation = { readonly reason?: string; readonly detail?: string; readonly ticket?: string };

/** What a change makes of a key: the next record without its counters, and other rows of the same transaction. */
export type NextKey = {
  readonly next: KeyRecord;
  readonly mutations?: readonly Mutation[];
  /** A key that is there already: nothing is written and the generation stays. */
  readonly unchanged?: boolean;
};

export type KeyChange = {
  /** Its name in the trail and in the history: `suspend`, `update`, … */
  readonly action: string;
  readonly permission: Permission;
  readonly explanation?: Explanation;
  /** Pure: may run again when another change came first. */
  readonly decide: (key: KeyRecord, catalog: Catalog, now: number) => NextKey;
  /** What must be ready before the decision, and takes time: a branch key, say. Not run for a repeated request. */
  readonly prepare?: (key: KeyRecord, trace: Trace) => Promise<void>;
  /** The answer waits until every live process has applied it (2 s at most). */
  readonly restricts?: boolean;
};

/**
 * Changes one key: resolve, permission, If-Match, decide, write with its history, audit.
 * @throws {KmsError} `KEY_NOT_FOUND`, `PERMISSION_DENIED`, `GENERATION_MISMATCH`, `KEY_HELD`, and whatever `decide` refuses with.
 */
export async function changeKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  change: KeyChange,
): Promise<Changed<KeyView>> {
  const { key, version } = await resolveKey(parts, caller, reference);
  if (version !== undefined) throw new KmsError("INVALID_ARGUMENT", "key: a version (@N) has no place here");
  requirePermission(caller, change.permission);
  return await once(parts, caller, {
    again: () => viewKey(parts, currentKey(parts.catalog, key.id)),
    run: async (keep) => {
      const told = { operation: `keys.${change.action}`, key: key.id, detail: explained(change.explanation) };
      const view = await audited(parts, caller, told, async (record) => {
        await change.prepare?.(key, record);
        const decided = await write(parts, caller, key.id, { change, keep });
        return viewKey(parts, decided, change.restricts === true && !caller.dryRun ? await awaitApplied(parts) : []);
      });
      return { value: view, status: 200 };
    },
  });
}

type Write = { readonly change: KeyChange; readonly keep: Parameters<Parameters<typeof once>[2]["run"]>[0] };

async function write(parts: BrokerParts, caller: Caller, id: KeyId, { change, keep }: Write): Promise<KeyRecord> {
  const decide = (catalog: Catalog): { readonly mutations: readonly Mutation[]; readonly result: KeyRecord } => {
    const key = currentKey(catalog, id);
    if (key.hold?.class === "unsealed")
      throw new KmsError("KEY_HELD", "the key's row does not verify", { metadata: { keyId: id } });
    requireGeneration(caller, key);
    const now = parts.sources.clock.now();
    const { next, mutations = [], unchanged = false } = change.decide(key, catalog, now);
    if (unchanged) return { mutations: [], result: key };
    const written: KeyRecord = { ...next, generation: key.generation + 1, updateTime: now };
    return {
      mutations: [keyMutation(catalog, written), historyMutation(caller, key, written, change), ...mutations],
      result: written,
    };
  };
  if (caller.dryRun) return decide(parts.catalog).result;
  return await parts.store.change((catalog) => {
    const entry = keep(200, `/v1/keys/${id}`);
    return { ...decide(catalog), ...(entry === undefined ? {} : { idempotency: entry }) };
  });
}

export function currentKey(catalog: Catalog, id: KeyId): KeyRecord {
  const key = catalog.key(id);
  if (key === undefined) throw keyNotFound();
  return key;
}

export function keyMutation(catalog: Catalog, record: KeyRecord): Mutation {
  return { table: "keys", id: record.id, record, ifRevision: catalog.revisionOf("keys", record.id) };
}

/** The entry of a key's history that stands in the transaction of its change. */
export function historyMutation(
  caller: Caller,
  before: KeyRecord | undefined,
  after: KeyRecord,
  { action, explanation = {} }: Pick<KeyChange, "action" | "explanation">,
): Mutation {
  const record: HistoryRecord = {
    key: after.id,
    generation: after.generation,
    time: after.updateTime,
    actor: caller.principal.client.person,
    action,
    from: before?.state ?? null,
    to: after.state,
    reason: explanation.reason ?? after.stateReason,
    detail: explanation.detail ?? "",
    ticket: explanation.ticket ?? "",
    requestId: caller.requestId,
  };
  return { table: "history", id: `${after.id}/${after.generation}`, record, ifRevision: 0 };
}

function explained(explanation: Explanation = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(explanation).filter(([, text]) => text !== undefined && text !== ""));
}
