import { KmsError } from "#core/errors.ts";
import { ProviderError } from "#core/failures.ts";
import { createId, type Uuid } from "#core/ids.ts";
import {
  branchVersionRowId,
  type BranchVersionRecord,
  type NamespaceRecord,
  type RecipientRecord,
  type WrapRecord,
} from "#core/records.ts";
import type { LoadedBranchKey } from "#envelope/branch-keys.ts";
import { openWrapPayload, wrapContextDigest } from "#envelope/wrap-payload.ts";
import { NO_ASSUMPTIONS, plan, type Plan, type PlannedAttempt, type RefusalReason } from "#policy/plan.ts";
import { routeNamed } from "#policy/routes.ts";
import { Deadline } from "#resilience/deadline.ts";
import { runPlan, type Tried } from "#resilience/failover.ts";
import { namespaceOf } from "./branch.ts";
import { openersOf } from "./candidates.ts";
import type { BrokerParts } from "./parts.ts";
import { afterUnwrapFault } from "./quarantine.ts";

/**
 * Opens a branch key through any one recipient: the flight that all who wait share. It has its own deadline and its own request id.
 *
 * @throws {KmsError} `NO_PROVIDER`, `PROVIDER_THROTTLED`, `INTEGRITY_FAILURE` when no wrap is left that opens
 */
export async function loadBranchKey(parts: BrokerParts, branch: Uuid, version: number): Promise<LoadedBranchKey> {
  const flight = branchVersionRowId(branch, version);
  const attempts: Parameters<typeof parts.flights.set>[1] = [];
  parts.flights.set(flight, attempts);
  try {
    const subject = subjectOf(parts, branch, version);
    const openers = new Map(openersOf(parts, branch, version).map((opener) => [opener.wrap.id as string, opener]));
    const deadline = new Deadline(parts.settings.deadlineMs, parts.sources);
    const planned = plan({
      kind: "load",
      candidates: [...openers.values()].map(({ candidate }) => candidate),
      require: routeNamed(parts.policy(), subject.route)?.require ?? {},
      needed: 1,
      remainingMs: deadline.remainingMs(),
      draw: parts.sources.random.bytes(1).readUInt8(0) / 256,
      assume: NO_ASSUMPTIONS,
    });
    requireAllowed(planned);
    return await runPlan({
      attempts: planned.attempts,
      deadline,
      run: async (attempt, last) => {
        const wrap = openers.get(attempt.binding ?? "")?.wrap;
        if (wrap === undefined) throw new ProviderError({ failure: "INTERNAL", detail: "the plan names no wrap" });
        const call: OpenCall = {
          attempt,
          deadline,
          last,
          lastResort: planned.lastResort,
          onAttempt: (made) => attempts.push(made),
        };
        return await openWrap(parts, { ...subject, wrap }, call);
      },
      onFault: (tried: Tried<PlannedAttempt>) => {
        const wrap = openers.get(tried.attempt.binding ?? "")?.wrap;
        if (wrap !== undefined) afterUnwrapFault(parts, { wrap, provider: tried.attempt.provider, fault: tried.fault });
      },
    });
  } finally {
    parts.flights.delete(flight);
  }
}

const FORBIDDEN: ReadonlySet<RefusalReason> = new Set(["jurisdiction", "protection"]);

/** @throws {KmsError} `REQUIREMENT_UNMET` where the policy forbids everybody who could open it */
function requireAllowed({ attempts, refused }: Plan): void {
  if (attempts.length > 0 || refused.length === 0 || !refused.every(({ because }) => FORBIDDEN.has(because))) return;
  const reasons = refused.map(({ provider, detail }) => `${provider}: ${detail}`).join("; ");
  throw new KmsError("REQUIREMENT_UNMET", `the policy forbids every provider that could open the key; ${reasons}`);
}

type Subject = { readonly namespace: NamespaceRecord; readonly branchVersion: BranchVersionRecord };
type LoadedSubject = Subject & { readonly route: string };

function subjectOf(parts: BrokerParts, branch: Uuid, version: number): LoadedSubject {
  const record = parts.catalog.branch(branch);
  const branchVersion = parts.catalog.branchVersion(branch, version);
  if (record === undefined || branchVersion === undefined) {
    throw new KmsError("INTEGRITY_FAILURE", "the key's branch has no valid row", { metadata: { branch } });
  }
  return { namespace: namespaceOf(parts.catalog, record.namespace), branchVersion, route: record.route };
}

type OpenCall = {
  readonly attempt: PlannedAttempt;
  readonly deadline: Deadline;
  readonly last: boolean;
  readonly lastResort: boolean;
  readonly onAttempt: NonNullable<Parameters<BrokerParts["pool"]["call"]>[4]["onAttempt"]>;
};

async function openWrap(
  parts: BrokerParts,
  subject: Subject & { readonly wrap: WrapRecord },
  call: OpenCall,
): Promise<LoadedBranchKey> {
  const recipient = parts.catalog.recipient(subject.wrap.recipient);
  if (recipient === undefined)
    throw new ProviderError({ failure: "INTERNAL", detail: "the wrap's recipient has no valid row" });
  const { attempt, deadline, last, lastResort, onAttempt } = call;
  const key = await unwrap(
    parts,
    { ...subject, recipient, provider: attempt.provider },
    {
      deadline,
      requestId: createId("req", parts.sources),
      timeoutMs: attempt.timeoutMs,
      last,
      lastResort,
      onAttempt,
    },
  );
  return { key, recipient: recipient.id };
}

/** One wrap and what it must open to. */
export type UnwrapInput = Subject & {
  readonly wrap: WrapRecord;
  readonly recipient: RecipientRecord;
  readonly provider: string;
};

/**
 * One unwrap, checked against the wrap's context and commitment.
 * @throws {ProviderError} `BAD_WRAP` where the provider refuses our wrap or opens it to other bytes
 */
export async function unwrap(
  parts: Pick<BrokerParts, "fleet" | "pool">,
  { namespace, branchVersion, wrap, recipient, provider }: UnwrapInput,
  options: Parameters<BrokerParts["pool"]["call"]>[4],
): Promise<Buffer> {
  const opened = parts.fleet.member(provider)?.provider;
  if (opened === undefined) throw new ProviderError({ failure: "LOCAL", detail: "the provider is not open" });
  const ids = {
    namespace: namespace.id,
    branch: wrap.branch,
    branchVersion: wrap.branchVersion,
    recipient: recipient.id,
  };
  const input = { ref: recipient.nativeRef, wrap: Buffer.from(wrap.wrap, "base64"), context: wrapContextDigest(ids) };
  try {
    const { value: payload } = await parts.pool.call(
      provider,
      "data",
      "unwrap",
      async (call) => await opened.wrapper.unwrap(input, call),
      options,
    );
    try {
      return openWrapPayload({ payload, ids, commitment: Buffer.from(branchVersion.commitment, "base64") });
    } finally {
      payload.fill(0);
    }
  } catch (error) {
    // The bytes were our own: what the provider calls an invalid ciphertext is a bad wrap.
    if (!(error instanceof ProviderError) || error.fault.failure !== "INVALID") throw error;
    throw new ProviderError({ ...error.fault, failure: "BAD_WRAP" }, error);
  }
}
