import { KmsError } from "#core/errors.ts";
import { gate } from "#core/gate.ts";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import type { KeyRecord } from "#core/records.ts";
import type { ErrorCode } from "#core/errors.ts";
import { mayOperate } from "#core/access.ts";
import { type Assumptions, type Candidate, plan, type Plan } from "#policy/plan.ts";
import { placeKey } from "#policy/place-key.ts";
import type { Wish } from "#policy/wish.ts";
import { routeNamed } from "#policy/routes.ts";
import type { Caller } from "./caller.ts";
import { openersOf, requirementOf, writersOf } from "./candidates.ts";
import { resolveKey } from "./key-reference.ts";
import { nativeCandidate } from "./native-call.ts";
import { primaryVersion } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

export type ExplainRequest = {
  readonly operation: KeyOperation | "create-key";
  readonly key: string | undefined;
  readonly create: Omit<Wish, "namespace"> | undefined;
  readonly assume: Assumptions;
};

/** What would happen, and why (api.md § 10). Nothing is called. */
export type Explanation = Plan & {
  readonly operation: string;
  readonly keyId: string | null;
  readonly keyVersion: number | null;
  readonly route: string | null;
  readonly policyHash: string;
  readonly gateway: string;
  readonly outcome: "allowed" | "refused";
  readonly code: ErrorCode | null;
  readonly runsIn: "gateway" | "provider";
  /** Portable keys: whether the branch key is warm: no provider is then asked at all. */
  readonly cached: boolean;
  readonly deadlineMs: number;
};

/** @throws {KmsError} `KEY_NOT_FOUND` for a key that the caller may not see; `INVALID_ARGUMENT` */
export async function explain(parts: BrokerParts, caller: Caller, request: ExplainRequest): Promise<Explanation> {
  requirePermission(caller, "policy.explain");
  requireKnownProviders(parts, request.assume);
  if (request.operation === "create-key") return explainCreate(parts, caller, request);
  if (request.key === undefined)
    throw new KmsError("INVALID_ARGUMENT", "key: wanted the key that the operation is about", required("/key"));
  const { key, version } = await resolveKey(parts, caller, request.key);
  return explainUse(parts, caller, { key, named: version, operation: request.operation, assume: request.assume });
}

type Use = {
  readonly key: KeyRecord;
  readonly named: number | undefined;
  readonly operation: KeyOperation;
  readonly assume: Assumptions;
};

function explainUse(parts: BrokerParts, caller: Caller, { key, named, operation, assume }: Use): Explanation {
  const number = named ?? primaryVersion(parts, key) ?? key.latestVersion;
  const version = parts.catalog.version(key.id, number);
  const verdict = gate({ key, version, operation, now: parts.sources.clock.now() });
  const branch = version?.branch ?? null;
  const branchVersion = version?.branchVersion ?? null;
  const candidates =
    branch === null || branchVersion === null
      ? nativeCandidates(parts, key, number)
      : openersOf(parts, branch, branchVersion).map(({ candidate }) => candidate);
  const planned = plan({
    kind: "load",
    candidates,
    require: requirementOf(parts, key),
    needed: 1,
    remainingMs: parts.settings.deadlineMs,
    assume,
  });
  const cached =
    branch !== null && branchVersion !== null && parts.branchKeys.state(branch, branchVersion) !== undefined;
  const code = refusalOf(caller, {
    key,
    operation,
    verdictCode: verdict.allowed ? null : verdict.code,
    served: cached || planned.attempts.length > 0,
  });
  return {
    ...about(parts, operation, code),
    ...planned,
    runsIn: key.custody.kind === "portable" ? "gateway" : "provider",
    keyId: key.id,
    keyVersion: number,
    route: routeNamed(parts.policy(), key.route)?.name ?? key.route,
    cached,
  };
}

function nativeCandidates(parts: BrokerParts, key: KeyRecord, version: number): readonly Candidate[] {
  return parts.catalog.bindings(key.id, version).flatMap((binding) => {
    const member = parts.fleet.memberByUid(binding.providerUid);
    if (member === undefined) return [];
    return [nativeCandidate(parts, member, binding)];
  });
}

type Refusal = {
  readonly key: KeyRecord;
  readonly operation: KeyOperation;
  readonly verdictCode: ErrorCode | null;
  readonly served: boolean;
};

function refusalOf(caller: Caller, { key, operation, verdictCode, served }: Refusal): ErrorCode | null {
  if (!mayOperate(caller.principal, key, operation)) return "PERMISSION_DENIED";
  if (verdictCode !== null) return verdictCode;
  if (key.purpose !== KEY_OPERATIONS[operation].purpose) return "PURPOSE_MISMATCH";
  return served ? null : "NO_PROVIDER";
}

function explainCreate(parts: BrokerParts, caller: Caller, { create, assume }: ExplainRequest): Explanation {
  if (create === undefined)
    throw new KmsError("INVALID_ARGUMENT", "create: wanted what the key should be", required("/create"));
  try {
    const placed = placeKey(parts.policy(), { ...create, namespace: caller.namespace });
    const native = placed.kind === "native";
    const holders = native ? placed.candidates : placed.custody.holders;
    const minimum = native ? 1 : placed.custody.minimum;
    const planned = plan({
      kind: "write",
      candidates: writersOf(parts, holders),
      require: routeNamed(parts.policy(), placed.route)?.require ?? {},
      needed: minimum,
      remainingMs: parts.settings.deadlineMs,
      assume,
    });
    const domains = new Set(
      planned.attempts.map(({ provider }) => parts.fleet.member(provider)?.facts.failureDomain ?? provider),
    );
    const short = native ? "NO_PROVIDER" : "QUORUM_NOT_REACHED";
    const code = domains.size < minimum ? short : null;
    return {
      ...about(parts, "create-key", code),
      ...planned,
      ...(native ? ({ runsIn: "provider", parallel: Math.min(1, planned.attempts.length) } as const) : {}),
      keyId: null,
      keyVersion: null,
      route: placed.route,
      cached: false,
    };
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    const nobody: Plan = { needed: 0, parallel: 0, attempts: [], refused: [], lastResort: false };
    return {
      ...about(parts, "create-key", error.code),
      ...nobody,
      keyId: null,
      keyVersion: null,
      route: null,
      cached: false,
    };
  }
}

function about(
  parts: BrokerParts,
  operation: string,
  code: ErrorCode | null,
): Pick<Explanation, "operation" | "policyHash" | "gateway" | "outcome" | "code" | "runsIn" | "deadlineMs"> {
  return {
    operation,
    policyHash: parts.policy().hash,
    gateway: parts.settings.gateway,
    outcome: code === null ? "allowed" : "refused",
    code,
    runsIn: "gateway",
    deadlineMs: parts.settings.deadlineMs,
  };
}

function requireKnownProviders(parts: BrokerParts, { down, drained, throttled }: Assumptions): void {
  const unknown = [...down, ...drained, ...throttled].find((name) => parts.fleet.member(name) === undefined);
  if (unknown === undefined) return;
  throw new KmsError("INVALID_ARGUMENT", `assume: no provider named ${unknown} is configured`, {
    metadata: { provider: unknown },
  });
}

function required(pointer: string): { errors: readonly [{ pointer: string; code: "required"; detail: string }] } {
  return { errors: [{ pointer, code: "required", detail: "wanted a value" }] };
}
