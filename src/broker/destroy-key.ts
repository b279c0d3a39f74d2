import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { applyVerb, hasDualControl } from "./change-state.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation } from "./change-key.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";

const DAY_MS = 86_400_000;

export type DestroyInput = Pick<Explanation, "detail" | "ticket"> & {
  /** The key's name, typed again. */
  readonly confirmName: string;
  /** 7..90. */
  readonly windowDays: number;
};

/**
 * Begins the destruction of a key: its window, during which nothing can be done with it but to cancel. The provider of a native key is told
 * too, so that the deletion over there ends no earlier; the seals of a portable one are erased at the end of the window.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for another name; `SEPARATION_OF_DUTIES` in a namespace with dual control; `ILLEGAL_TRANSITION` for a
 *   key that was not deactivated
 */
export async function destroyKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  { confirmName, windowDays, ...explanation }: DestroyInput,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, reference, {
    action: "destroy",
    permission: "keys.lifecycle",
    explanation,
    restricts: true,
    decide: (record, catalog, now) => {
      requireDestroyable(record, confirmName);
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

function requireDestroyable({ name }: KeyRecord, confirmName: string): void {
  if (confirmName === name) return;
  throw new KmsError("INVALID_ARGUMENT", "confirmName: wanted the name of the key", {
    errors: [{ pointer: "/confirmName", code: "conflict", detail: "wanted the name of the key" }],
  });
}

function approvalsWanted(): KmsError {
  return new KmsError("SEPARATION_OF_DUTIES", "a destruction in this namespace wants the approval of other persons", {
    help: "this version has no approvals; a namespace without dual control destroys at one person's word",
  });
}
