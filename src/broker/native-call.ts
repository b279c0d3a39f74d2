import { KmsError } from "#core/errors.ts";
import type { Answer, CallContext, CapabilityRow, Provider, ProviderOperation } from "#core/provider.ts";
import type { KeyRecord, NativeBindingRecord } from "#core/records.ts";
import { type Candidate, NO_ASSUMPTIONS, plan, type Plan } from "#policy/plan.ts";
import { runPlan } from "#resilience/failover.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import type { Caller } from "./caller.ts";
import { memberCandidate, requirementOf } from "./candidates.ts";
import type { BrokerParts } from "./parts.ts";
import type { FleetMember } from "./fleet.ts";
import type { Trace } from "./trace.ts";
import { settleBinding, wantedOf } from "./settle-bindings.ts";
import { type Holder, isHolder } from "./write-wrap.ts";

/** One operation on a version of a native key. */
export type NativeUse = {
  readonly key: KeyRecord;
  readonly version: number;
  readonly operation: ProviderOperation;
  readonly trace: Trace;
};

/** What the provider that holds the key can do with it. */
export type NativeTarget = {
  readonly binding: NativeBindingRecord;
  readonly holder: Holder;
  readonly row: CapabilityRow;
};

export type NativeAnswer<T> = { readonly value: T; readonly provider: string };

/**
 * The binding of a native key version, its provider and the capability that the operation takes: nothing is called.
 *
 * @throws {KmsError} `INTEGRITY_FAILURE` where the binding has no valid row; `KEY_HELD` where it is quarantined; `NO_PROVIDER` while its
 *   provider has not been reached; `UNSUPPORTED_COMBINATION` where the provider does not offer the operation
 */
export function nativeTarget(parts: BrokerParts, { key, version, operation }: NativeUse): NativeTarget {
  const binding = nativeBindingOf(parts, key, version);
  if (binding.quarantine !== null) throw heldBy(binding, binding.quarantine.class);
  const holder = parts.fleet.memberByUid(binding.providerUid);
  if (!isHolder(holder)) {
    throw new KmsError("NO_PROVIDER", "the provider that holds the key has not been reached, or is misconfigured", {
      metadata: { keyId: key.id },
      retryAfterSeconds: 1,
    });
  }
  const row = holder.provider.capabilities.rows.find(
    (candidate) => candidate.operation === operation && candidate.algorithm === key.algorithm,
  );
  if (row === undefined) {
    throw new KmsError("UNSUPPORTED_COMBINATION", `${holder.name} does not offer ${operation} with ${key.algorithm}`, {
      metadata: { provider: holder.name, operation, algorithm: key.algorithm },
    });
  }
  return { binding, holder, row };
}

/** @throws {KmsError} `INTEGRITY_FAILURE` */
export function nativeBindingOf(parts: BrokerParts, key: KeyRecord, version: number): NativeBindingRecord {
  const [binding] = parts.catalog.bindings(key.id, version);
  if (binding !== undefined) return binding;
  throw new KmsError("INTEGRITY_FAILURE", "the binding of the key version is missing or does not verify", {
    metadata: { keyId: key.id, keyVersion: String(version) },
  });
}

type Run<T> = (provider: Provider, ref: string, call: CallContext) => Promise<Answer<T>>;

/**
 * One call of the provider that holds the key, behind its breaker and within the caller's deadline.
 *
 * `invalid` says what the caller is told of a verdict on the bytes.
 *
 * @throws {KmsError} as {@link nativeTarget}; `REQUIREMENT_UNMET`, `NO_PROVIDER`, `PROVIDER_THROTTLED`, `KEY_HELD` where the provider's key
 *   is not in a state to be used, `DEADLINE_EXCEEDED`
 */
export async function callNative<T>(
  parts: BrokerParts,
  caller: Caller,
  {
    use,
    target,
    invalid,
  }: { readonly use: NativeUse; readonly target: NativeTarget; readonly invalid: () => KmsError },
  run: Run<T>,
): Promise<NativeAnswer<T>> {
  const { key, operation, trace } = use;
  const { holder, binding } = target;
  const planned = plan({
    kind: "load",
    candidates: [nativeCandidate(parts, holder, binding)],
    require: requirementOf(parts, key),
    needed: 1,
    remainingMs: caller.deadline.remainingMs(),
    assume: NO_ASSUMPTIONS,
  });
  requireAttempt(planned, caller);
  const changed = isFresh(parts, target);
  const called = async (call: CallContext): Promise<Answer<T>> => await run(holder.provider, binding.nativeRef, call);
  const answer = await runPlan({
    attempts: planned.attempts,
    deadline: caller.deadline,
    run: async ({ timeoutMs }) => {
      const options = {
        deadline: caller.deadline,
        requestId: caller.requestId,
        timeoutMs,
        last: true,
        lastResort: planned.lastResort,
        changed,
        onAttempt: (made: Trace["attempts"][number]) => void trace.attempts.push(made),
      };
      const once = async (): Promise<Answer<T>> =>
        await parts.pool.call(holder.name, "data", operation, called, options);
      try {
        return await once().catch(async (error: unknown) => {
          if (faultOf(error).failure !== "STATE" || !(await isOpened(parts, target))) throw error;
          return await once();
        });
      } catch (error) {
        throw told(error, { binding, invalid, changed });
      }
    },
  });
  return { value: answer.value, provider: holder.name };
}

/** Whether the provider's key was only behind its key's state, as at the minute a key begins, and has been brought there now. */
async function isOpened(parts: BrokerParts, { binding: { id, key, version } }: NativeTarget): Promise<boolean> {
  const { catalog, sources } = parts;
  const binding = catalog.bindings(key, version).find((one) => one.id === id);
  const wanted = binding === undefined ? undefined : wantedOf(catalog, binding, sources.clock.now());
  if (binding === undefined || (wanted !== "enabled" && wanted !== "process-only")) return false;
  return await settleBinding(parts, { binding, wanted }).catch(() => false);
}

/** Whether the service may not yet show everywhere what we did to the key. */
function isFresh({ sources }: BrokerParts, { binding, holder }: NativeTarget): boolean {
  const { propagationMs } = holder.provider.capabilities;
  return sources.clock.now() - binding.changeTime < Math.min(propagationMs, CREATED_MS);
}

/** How long a key that we made may be missing (architecture.md, the failure table). */
const CREATED_MS = 300_000;

/** A native key's one candidate, as the plan reads it. */
export function nativeCandidate(parts: BrokerParts, member: FleetMember, binding: NativeBindingRecord): Candidate {
  return { ...memberCandidate(parts, member), binding: binding.id, quarantined: binding.quarantine !== null };
}

function requireAttempt({ attempts, refused }: Plan, caller: Caller): void {
  if (attempts.length > 0) return;
  const [first] = refused;
  const forbidden = first?.because === "jurisdiction" || first?.because === "protection";
  throw new KmsError(
    forbidden ? "REQUIREMENT_UNMET" : "NO_PROVIDER",
    `the provider that holds the key is not asked: ${first?.detail ?? "nobody holds it"}`,
    { metadata: { requestId: caller.requestId }, ...(forbidden ? {} : { retryAfterSeconds: 1 }) },
  );
}

/** A service cannot have a verdict on bytes that are new to it. */
export function unexpectedVerdict(): KmsError {
  return new KmsError("INTERNAL", "the provider refused an input that it declares to take");
}

type Told = {
  readonly binding: NativeBindingRecord;
  readonly invalid: () => KmsError;
  readonly changed: boolean;
};

/** What a failure of the one provider that can do it means for the caller. */
function told(error: unknown, { binding, invalid, changed }: Told): unknown {
  const { failure } = faultOf(error);
  if (failure === "INVALID") return invalid();
  const missing = failure === "NOT_FOUND";
  // what may only not be seen yet is no verdict on the key
  if ((failure === "STATE" || missing) && !changed) return heldBy(binding, missing ? "missing" : "disabled", error);
  return error;
}

function heldBy(binding: NativeBindingRecord, observed: string, cause?: unknown): KmsError {
  return new KmsError("KEY_HELD", `the provider's key is not in a state to be used (${observed})`, {
    metadata: { keyId: binding.key, keyVersion: String(binding.version), binding: binding.id, class: observed },
    cause,
  });
}
