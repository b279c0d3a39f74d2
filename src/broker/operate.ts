import { contextAllowed, mayOperate } from "#core/access.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { type ErrorCode, KmsError } from "#core/errors.ts";
import { primaryVersionAt } from "#core/effective-lifecycle.ts";
import { gate } from "#core/gate.ts";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import type { KeyRecord, VersionRecord } from "#core/records.ts";
import { deadlineExceeded } from "#resilience/deadline.ts";
import type { Caller } from "./caller.ts";
import { findKey, resolveKey } from "./key-reference.ts";
import type { BrokerParts } from "./parts.ts";
import type { Trace } from "./trace.ts";

/** What every operation's answer adds (api.md § 7). */
export type Served = {
  readonly keyId: string;
  readonly keyVersion: number;
  /** `gateway`, or the provider that did it. */
  readonly provider: string;
  /** Provider calls made for it; 0 = none. */
  readonly attempts: number;
};

/** The outcome of one item of a batch. */
export type ItemOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: KmsError };

/** Which key and operation a request is about. */
export type Use = { readonly key: string; readonly operation: KeyOperation };

/** What an operation gives at least: the version that it was done with, and by which provider (absent: by the gateway). */
type Done = { readonly keyVersion: number; readonly provider?: string };

/** The key that a request may use, and the version that it named. */
export type Usable = { readonly key: KeyRecord; readonly named: number | undefined; readonly trace: Trace };

/**
 * One operation on one key: resolve, authorise, run, audit. `run` does the gate, since which version is used is its business.
 * The promise waits for the audit record; without it there is no answer.
 */
export async function operate<T extends Done>(
  parts: BrokerParts,
  caller: Caller,
  use: Use & { readonly context: Context },
  run: (usable: Usable) => T | Promise<T>,
): Promise<T & Served> {
  const record = beginRecord(parts, caller, use);
  try {
    const usable = await usableKey(parts, caller, use, record.trace);
    record.key = usable.key;
    requireContext(caller, use.context);
    const pending = run(usable);
    const value = pending instanceof Promise ? await pending : pending;
    record.version = value.keyVersion;
    record.provider = value.provider;
    await record.write("ok");
    return { ...value, ...served(usable, value) };
  } catch (error) {
    await record.write(outcomeOf(error));
    throw error;
  }
}

/**
 * The same operation on many inputs, in order: one authorisation and one audit record. A key that may not be used refuses the whole; a
 * wrong value fails its item alone.
 */
export async function operateBatch<I extends { readonly context: Context }, T extends Done>(
  parts: BrokerParts,
  caller: Caller,
  use: Use,
  items: readonly I[],
  run: (usable: Usable, item: I) => T | Promise<T>,
): Promise<readonly ItemOutcome<T & Served>[]> {
  const record = beginRecord(parts, caller, use);
  try {
    const usable = await usableKey(parts, caller, use, record.trace);
    record.key = usable.key;
    requireUsable(parts, usable, use.operation);
    const outcomes = await attemptItems(parts, caller, usable, { items, run });
    record.items = runLengths(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code)));
    await record.write("ok");
    return outcomes;
  } catch (error) {
    await record.write(outcomeOf(error));
    throw error;
  }
}

type Runner<I, T> = (parts: BrokerParts, caller: Caller, usable: Usable, item: I) => T | Promise<T>;

/** An operation that binds no context: on one input ({@link operate}), and on many ({@link operateBatch}). */
export function contextless<I, T extends Done>(operation: KeyOperation, run: Runner<I, T>) {
  return {
    single: async (parts: BrokerParts, caller: Caller, key: string, item: I): Promise<T & Served> =>
      await operate(parts, caller, { key, operation, context: NO_CONTEXT }, (usable) =>
        run(parts, caller, usable, item),
      ),
    batch: async (
      parts: BrokerParts,
      caller: Caller,
      key: string,
      items: readonly I[],
    ): Promise<readonly ItemOutcome<T & Served>[]> => {
      const inputs = items.map((item) => ({ item, context: NO_CONTEXT }));
      return await operateBatch(parts, caller, { key, operation }, inputs, (usable, { item }) =>
        run(parts, caller, usable, item),
      );
    },
  };
}

function ignore(): void {
  // on purpose
}

/** How many items of a batch a provider is asked for at once. */
const BATCH_IN_FLIGHT = 16;

type Items<I, T> = {
  readonly items: readonly I[];
  readonly run: (usable: Usable, item: I) => T | Promise<T>;
};

async function attemptItems<I extends { readonly context: Context }, T extends Done>(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  { items, run }: Items<I, T>,
): Promise<readonly ItemOutcome<T & Served>[]> {
  const outcomes: ItemOutcome<T & Served>[] = [];
  let pending: Promise<void>[] = [];
  const keep = async (index: number, outcome: Promise<ItemOutcome<T & Served>>): Promise<void> => {
    outcomes[index] = await outcome;
  };
  for (const [index, item] of items.entries()) {
    if (caller.deadline.remainingMs() <= 0) throw deadlineExceeded();
    const outcome = attemptItem(parts, caller, usable, item, run);
    if (outcome instanceof Promise) {
      const kept = keep(index, outcome);
      kept.catch(ignore); // told by whoever waits for all, unless he has left at the deadline
      pending.push(kept);
    } else {
      outcomes[index] = outcome;
    }
    if (pending.length < BATCH_IN_FLIGHT) continue;
    await Promise.all(pending);
    pending = [];
  }
  await Promise.all(pending);
  return outcomes;
}

/** Synchronous where `run` is: while the key is warm. */
function attemptItem<I extends { readonly context: Context }, T extends Done>(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  item: I,
  run: (usable: Usable, item: I) => T | Promise<T>,
): ItemOutcome<T & Served> | Promise<ItemOutcome<T & Served>> {
  const succeed = (value: T): ItemOutcome<T & Served> => ({
    ok: true,
    value: { ...value, ...served(usable, value) },
  });
  const fail = (error: unknown): ItemOutcome<T & Served> => {
    if (error instanceof KmsError && BATCH_WIDE.has(error.code)) throw error;
    return { ok: false, error: error instanceof KmsError ? error : unexpected(parts, error) };
  };
  try {
    requireContext(caller, item.context);
    const value = run(usable, item);
    return value instanceof Promise ? value.then(succeed).catch(fail) : succeed(value);
  } catch (error) {
    return fail(error);
  }
}

/** What stops a batch as a whole: nothing of the item's own. */
const BATCH_WIDE: ReadonlySet<ErrorCode> = new Set([
  "KEY_HELD",
  "KEY_NOT_ACTIVE",
  "KEY_DESTROYED",
  "CATALOG_STALE",
  "DEADLINE_EXCEEDED",
]);

function unexpected(parts: BrokerParts, error: unknown): KmsError {
  parts.onAlarm({ kind: "internal", detail: error instanceof Error ? error.message : "unknown", ids: {} });
  return new KmsError("INTERNAL", "something went wrong inside", { cause: error });
}

async function usableKey(parts: BrokerParts, caller: Caller, use: Use, trace: Trace): Promise<Usable> {
  const { key, version } = findKey(parts.catalog, caller, use.key) ?? (await resolveKey(parts, caller, use.key));
  requireFresh(parts, use.operation);
  requireUse(caller, key, use.operation);
  return { key, named: version, trace };
}

/** @throws {KmsError} `PERMISSION_DENIED` */
export function requireUse(caller: Caller, key: KeyRecord, operation: KeyOperation): void {
  if (mayOperate(caller.principal, key, operation)) return;
  throw new KmsError("PERMISSION_DENIED", `the caller may not ${operation} with this key`, { metadata: { operation } });
}

/** @throws {KmsError} `PERMISSION_DENIED` where the caller is bound to contexts and this is none of them. */
export function requireContext(caller: Caller, context: Context): void {
  if (!contextAllowed(caller.principal, context)) {
    throw new KmsError("PERMISSION_DENIED", "the context lacks a pair that this caller must give");
  }
}

/** @throws {KmsError} `CATALOG_STALE` when this process has not read the feed for longer than the operation's bound. */
export function requireFresh(parts: BrokerParts, operation: KeyOperation): void {
  const { settings, catalog, sources } = parts;
  const bound =
    KEY_OPERATIONS[operation].kind === "protect" ? settings.protectStalenessMs : settings.processStalenessMs;
  const ageMs = sources.clock.monotonicMs() - catalog.freshAtMs;
  if (ageMs > bound) {
    throw new KmsError("CATALOG_STALE", "the gateway has not read the store for too long", { retryAfterSeconds: 1 });
  }
}

/** The gate for a batch as a whole, before any item: the key's own state, whatever the version. */
function requireUsable(parts: BrokerParts, { key }: Usable, operation: KeyOperation): void {
  const version =
    KEY_OPERATIONS[operation].kind === "protect"
      ? parts.catalog.version(key.id, primaryVersion(parts, key) ?? 0)
      : undefined;
  requireOpen(parts, key, version, operation);
}

/** @throws {KmsError} `KEY_NOT_ACTIVE`, `VERSION_NOT_USABLE`, `KEY_HELD`, `KEY_DESTROYED`, or 422 `PURPOSE_MISMATCH` */
export function requireOpen(
  parts: BrokerParts,
  key: KeyRecord,
  version: VersionRecord | undefined,
  operation: KeyOperation,
): void {
  const verdict = gate({ key, version, operation, now: parts.sources.clock.now() });
  if (!verdict.allowed)
    throw new KmsError(verdict.code, verdict.detail, { metadata: { keyId: key.id, ...verdict.metadata } });
  const { purpose } = KEY_OPERATIONS[operation];
  if (key.purpose !== purpose) {
    throw new KmsError("PURPOSE_MISMATCH", `wanted a key of purpose ${purpose}, got ${key.purpose}`, {
      metadata: { wanted: purpose, purpose: key.purpose },
    });
  }
}

/** The version that protects now; null while the key has none. */
export function primaryVersion(parts: BrokerParts, key: KeyRecord): number | null {
  return primaryVersionAt(key, parts.sources.clock.now());
}

function served({ key, trace }: Usable, { keyVersion, provider = "gateway" }: Done): Served {
  return { keyId: key.id, keyVersion, provider, attempts: trace.attempts.length };
}

/** The code under which a failure stands in the audit trail. */
export function outcomeOf(error: unknown): string {
  return error instanceof KmsError ? error.code : "INTERNAL";
}

type AuditRecord = {
  readonly trace: Trace;
  key: KeyRecord | undefined;
  version: number | undefined;
  provider: string | undefined;
  items: readonly (readonly [string, number])[] | undefined;
  write(outcome: string): Promise<void>;
};

function beginRecord(parts: BrokerParts, caller: Caller, use: Use): AuditRecord {
  const startMs = parts.sources.clock.monotonicMs();
  const record: AuditRecord = {
    trace: { attempts: [] },
    key: undefined,
    version: undefined,
    provider: undefined,
    items: undefined,
    write: (outcome) => {
      const { client, credentialId } = caller.principal;
      return parts.audit.append({
        time: parts.sources.clock.now(),
        requestId: caller.requestId,
        client: client.id,
        credential: credentialId,
        namespace: caller.namespace,
        door: caller.door,
        operation: use.operation,
        key: record.key?.id ?? null,
        keyVersion: record.version ?? null,
        provider: outcome === "ok" ? (record.provider ?? "gateway") : null,
        attempts: record.trace.attempts,
        outcome,
        latencyMs: parts.sources.clock.monotonicMs() - startMs,
        ...(record.items === undefined ? {} : { items: record.items }),
      });
    },
  };
  return record;
}

function runLengths(outcomes: readonly string[]): readonly (readonly [string, number])[] {
  const runs: [string, number][] = [];
  for (const outcome of outcomes) {
    const last = runs.at(-1);
    if (last?.[0] === outcome) last[1] += 1;
    else runs.push([outcome, 1]);
  }
  return runs;
}
