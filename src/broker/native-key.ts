import { type AlgorithmName, hasPublicKey } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import { createId } from "#core/ids.ts";
import type { Observation } from "#core/provider.ts";
import type { KeyRecord, NativeBindingRecord } from "#core/records.ts";
import { runPlan } from "#resilience/failover.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";
import type { Trace } from "./trace.ts";
import { type Holder, isHolder } from "./write-wrap.ts";

/** A key that a provider has made, and nobody has recorded yet. */
export type NativeKey = {
  readonly holder: Holder;
  readonly nativeRef: string;
  /** SPKI DER, base64. */
  readonly publicKey: string | null;
  /** The provider is still making it. */
  readonly pending: boolean;
};

export type MakeNativeKey = {
  readonly candidates: readonly string[];
  readonly algorithm: AlgorithmName;
  /** The same marker finds the same key again, whoever asks. */
  readonly marker: string;
  readonly description: string;
  readonly extractable: boolean;
  readonly trace: Trace;
  /** How long a key that the provider is still making is waited for. */
  readonly patienceMs: number;
};

/** The service's longest window: what nobody has recorded can still be claimed for so long. */
const ORPHAN_DAYS = 30;

/**
 * Has the first candidate that can make a key of the provider's own, and reads its public half.
 *
 * @throws {KmsError} `NO_PROVIDER`, `PROVIDER_THROTTLED`, `UNKNOWN_OUTCOME`, `DEADLINE_EXCEEDED`
 */
export async function makeNativeKey(parts: BrokerParts, caller: Caller, wish: MakeNativeKey): Promise<NativeKey> {
  const timeoutMs = Math.max(1, caller.deadline.remainingMs());
  return await runPlan({
    attempts: wish.candidates.map((provider) => ({ provider, timeoutMs })),
    deadline: caller.deadline,
    run: async ({ provider }, last) => await makeAt(parts, caller, { ...wish, provider, last }),
  });
}

type MakeAt = MakeNativeKey & { readonly provider: string; readonly last: boolean };

async function makeAt(parts: BrokerParts, caller: Caller, wish: MakeAt): Promise<NativeKey> {
  const holder = parts.fleet.member(wish.provider);
  if (!isHolder(holder) || parts.catalog.drain(wish.provider)?.drained === true)
    throw new ProviderError({ failure: "LOCAL", detail: "the provider is drained, misconfigured, or was not reached" });
  const { algorithm, marker, description, extractable, trace, last } = wish;
  const spec = { algorithm, marker, description, ...(extractable && { extractable }) };
  const options = callOptions(caller, trace, last);
  const made = await parts.pool.call(
    holder.name,
    "control",
    "create-key",
    async (call) => await holder.provider.keys.create(spec, call),
    { ...options, mutation: true },
  );
  const ready = await untilMade(parts, caller, { holder, made, wish });
  const publicKey = ready ? await readPublicKey(parts, caller, { holder, made, algorithm, trace }) : null;
  return { holder, nativeRef: made.ref, publicKey, pending: !ready };
}

/** Whether a provider is still at it: Google's PENDING_GENERATION, AWS's Creating. */
export function isBeingMade({ observed }: Observation): boolean {
  return observed === "unavailable" || observed === "preactive";
}

const LOOK_AGAIN_MS = 250;

/** Looks at a key that the provider is still making until it is there, or patience ends. */
async function untilMade(
  parts: BrokerParts,
  caller: Caller,
  { holder, made, wish }: { readonly holder: Holder; readonly made: Observation; readonly wish: MakeAt },
): Promise<boolean> {
  const { clock, scheduler } = parts.sources;
  const endMs = clock.monotonicMs() + Math.min(wish.patienceMs, caller.deadline.remainingMs() / 2);
  for (let seen = made; isBeingMade(seen);) {
    if (clock.monotonicMs() + LOOK_AGAIN_MS > endMs) return false;
    await new Promise<void>((resolve) => {
      scheduler.after(LOOK_AGAIN_MS, resolve);
    });
    seen = await parts.pool.call(
      holder.name,
      "control",
      "describe",
      async (call) => await holder.provider.describe(made.ref, call),
      callOptions(caller, wish.trace, true),
    );
  }
  return true;
}

type Made = {
  readonly holder: Holder;
  readonly made: Observation;
  readonly algorithm: AlgorithmName;
  readonly trace: Trace;
};

/** The public half of a key that was just made; where that cannot be read, the key is discarded. */
export async function readPublicKey(
  parts: BrokerParts,
  caller: Caller,
  { holder, made, algorithm, trace }: Made,
): Promise<string | null> {
  if (!hasPublicKey(algorithm)) return null;
  const { publicKeys } = holder.provider;
  if (publicKeys === undefined)
    throw new ProviderError({ failure: "INTERNAL", detail: "it has no public keys to read" });
  try {
    const answer = await parts.pool.call(
      holder.name,
      "data",
      "public-key",
      async (call) => await publicKeys.publicKey(made.ref, call),
      callOptions(caller, trace, true),
    );
    return answer.value.toString("base64");
  } catch (error) {
    await discardNativeKey(parts, caller, { holder, nativeRef: made.ref });
    throw error;
  }
}

function callOptions(caller: Caller, trace: Trace, last: boolean) {
  return {
    deadline: caller.deadline,
    requestId: caller.requestId,
    last,
    onAttempt: (attempt: Trace["attempts"][number]) => void trace.attempts.push(attempt),
  };
}

/** Schedules the destruction of a key that nothing will name. One that cannot be reached stays, marked, and is told of. */
export async function discardNativeKey(
  parts: BrokerParts,
  caller: Caller,
  { holder, nativeRef }: Pick<NativeKey, "holder" | "nativeRef">,
): Promise<void> {
  const { keys, capabilities } = holder.provider;
  const days = Math.min(ORPHAN_DAYS, capabilities.destructionDays?.max ?? 0);
  try {
    await parts.pool.call(
      holder.name,
      "control",
      "schedule-destruction",
      async (call) => await keys.scheduleDestruction(nativeRef, days, call),
      { deadline: caller.deadline, requestId: caller.requestId, mutation: true },
    );
  } catch {
    parts.onAlarm({
      kind: "orphan",
      detail: "a key that was made and is not used could not be scheduled for destruction",
      ids: { provider: holder.name, nativeRef },
    });
  }
}

/** The row of a native key as a version's binding. */
export function nativeBinding(
  parts: BrokerParts,
  key: KeyRecord,
  version: number,
  { holder, nativeRef, publicKey }: NativeKey,
): NativeBindingRecord {
  const now = parts.sources.clock.now();
  return {
    id: createId("bnd", parts.sources),
    key: key.id,
    version,
    providerUid: holder.uid,
    nativeRef,
    publicKey,
    reached: "enabled",
    changeTime: now,
    quarantine: null,
    createTime: now,
  };
}
