import type { Principal } from "#core/access.ts";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import type { Caller } from "#broker/caller.ts";
import { SYSTEM_NAMESPACE } from "#broker/namespaces.ts";
import { startDeadline } from "#broker/deadline.ts";
import type { BrokerParts } from "#broker/parts.ts";
import type { RequestFacts } from "#http/route.ts";

/** What the routes of this door work with. */
export type RestParts = {
  readonly broker: BrokerParts;
  readonly sources: Sources;
  /** Why the gateway is not ready; empty if it is. Providers never appear in it. */
  readonly readiness: () => readonly string[];
  /** The metrics in Prometheus' text form, and its content type. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** Whether metrics are open to anybody: the listener is on a loopback address. */
  readonly metricsOpen: boolean;
  /** What a configuration text has wrong: one line each. */
  readonly validatePolicy: (text: string) => Promise<readonly PolicyProblem[]>;
  readonly version: string;
};

export type PolicyProblem = { readonly line: number; readonly column: number; readonly message: string };

/** Who asks, from the credential and the headers. @throws {KmsError} `NOT_FOUND` for the gateway's own namespace */
export function callerOf({ sources }: RestParts, facts: RequestFacts, principal: Principal): Caller {
  const namespace = facts.namespace ?? principal.client.namespace;
  if (namespace === SYSTEM_NAMESPACE) throw new KmsError("NOT_FOUND", "no such namespace", { metadata: { namespace } });
  const { requestId, dryRun, ifGeneration, idempotencyKey, method, path, bodyDigest } = facts;
  return {
    principal,
    namespace,
    requestId,
    door: "rest",
    deadline: startDeadline(facts.deadlineMs, sources),
    dryRun,
    ...(ifGeneration === undefined ? {} : { ifGeneration }),
    ...(idempotencyKey === undefined ? {} : { idempotency: { key: idempotencyKey, method, path, bodyDigest } }),
  };
}

/** The parameter of a path. */
export function param(params: Readonly<Record<string, string>>, name: string): string {
  return params[name] ?? "";
}
