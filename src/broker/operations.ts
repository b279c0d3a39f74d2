import { KmsError } from "#core/errors.ts";
import { keyIdOf, uuidOfId, uuidOfKey } from "#core/ids.ts";
import { isUnfinished, type KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import { keyNotFound, resolveKey } from "./key-reference.ts";
import type { BrokerParts } from "./parts.ts";

/** Work that goes on after its request was answered. Times are epoch milliseconds. */
export type Operation = {
  readonly id: string;
  readonly kind: "create-key";
  readonly state: "running" | "done" | "failed";
  readonly key: KeyRecord;
  readonly createTime: number;
  readonly updateTime: number;
};

/** The operation that makes a key. It is read off the key itself: it survives whatever the key survives, and every gateway sees it. */
export function operationOf(key: KeyRecord): Operation {
  const failed = key.state === "destroyed" && key.activateTime !== null && key.primaryVersion === null;
  return {
    id: `op_${uuidOfKey(key.id)}`,
    kind: "create-key",
    state: isUnfinished(key) ? "running" : failed ? "failed" : "done",
    key,
    createTime: key.createTime,
    updateTime: key.updateTime,
  };
}

/** @throws {KmsError} `NOT_FOUND` for an id of nothing, or of what the caller may not see */
export async function getOperation(parts: BrokerParts, caller: Caller, id: string): Promise<Operation> {
  const uuid = uuidOfId("op", id);
  try {
    if (uuid === undefined) throw keyNotFound();
    return operationOf((await resolveKey(parts, caller, keyIdOf(uuid))).key);
  } catch (error) {
    if (!(error instanceof KmsError) || error.code !== "KEY_NOT_FOUND") throw error;
    throw new KmsError("NOT_FOUND", "no such operation", { metadata: { operation: id } });
  }
}
