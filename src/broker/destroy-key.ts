import { canonicalJson } from "#core/canonical-json.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { applyVerb, hasDualControl } from "./change-state.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation } from "./change-key.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";
import { sha256 } from "#envelope/sha256.ts";

const DAY_MS = 86_400_000;

export type DestroyInput = Pick<Explanation, "detail" | "ticket"> & {
  /** The key's name, typed again. */
  readonly confirmName: string;
  /** 7..90. */
  readonly windowDays: number;
  /** Of the plan that was looked at ({@link destructionPlanHash}); undefined: whatever there is. */
  readonly planHash?: string;
};

/**
 * Begins the destruction of a key: its window, during which nothing can be done with it but to cancel. The provider of a native key is told
 * too, so that the deletion over there ends no earlier; the seals of a portable one are erased at the end of the window.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for another name; `SEPARATION_OF_DUTIES` in a namespace with dual control; `ILLEGAL_TRANSITION` for a
 *   key that was not deactivated; `PLAN_STALE` where the key is no longer the one of `planHash`
 */
export async function destroyKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  { confirmName, windowDays, planHash, ...explanation }: DestroyInput,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, reference, {
    action: "destroy",
    permission: "keys.lifecycle",
    explanation,
    restricts: true,
    decide: (record, catalog, now) => {
      requireName(record, confirmName);
      if (planHash !== undefined && planHash !== destructionPlanHash(record)) throw planStale(record);
      const step = applyVerb(record, { kind: "destroy", destroyTime: now + windowDays * DAY_MS }, now);
      if (hasDualControl(catalog, record)) throw approvalsWanted();
      return step;
    },
  });
}

/** Ends a destruction within its window: the key is deactivated again, for the reason before. */
export async function cancelDestroyKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  told: Pick<Explanation, "detail" | "ticket">,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, reference, {
    action: "cancel-destroy",
    permission: "keys.lifecycle",
    explanation: told,
    decide: (record, _catalog, now) => applyVerb(record, { kind: "cancel-destroy" }, now),
  });
}

/** Names what a destruction would take: the key as it is now. Any change of it makes another plan. */
export function destructionPlanHash({ id, generation, latestVersion }: KeyRecord): string {
  return sha256(Buffer.from(canonicalJson({ key: id, generation, versions: latestVersion }), "utf8")).toString(
    "base64",
  );
}

function planStale({ generation }: KeyRecord): KmsError {
  return new KmsError("PLAN_STALE", `the key has changed since the plan was made: it is at generation ${generation}`, {
    metadata: { generation: String(generation) },
    help: "look at the plan anew with dryRun",
  });
}

/** @throws {KmsError} `INVALID_ARGUMENT` unless it is the key's name, typed again */
export function requireName({ name }: KeyRecord, confirmName: string | undefined): void {
  if (confirmName === name) return;
  throw new KmsError("INVALID_ARGUMENT", "confirmName: wanted the name of the key", {
    errors: [{ pointer: "/confirmName", code: "conflict", detail: "wanted the name of the key" }],
  });
}

/** What a namespace with dual control answers to every destruction. */
export function approvalsWanted(): KmsError {
  return new KmsError("SEPARATION_OF_DUTIES", "a destruction in this namespace wants the approval of other persons", {
    help: "this version has no approvals; a namespace without dual control destroys at one person's word",
  });
}
