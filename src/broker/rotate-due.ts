import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import type { KeyRecord } from "#core/records.ts";
import type { BrokerParts } from "./parts.ts";
import { rotateKey } from "./rotate-key.ts";
import { hasReachedLimit } from "./rotation-limits.ts";
import { systemCaller } from "./system-caller.ts";

/** A turn rotates no more than this many keys, so that ten thousand keys of one birthday do not come at once. */
const PER_TURN = 100;

/** Rotates the keys whose time has come. Age alone never refuses: a key that cannot be rotated now is tried again at the next turn. */
export async function rotateDue(parts: BrokerParts): Promise<void> {
  const due = [...dueKeys(parts)];
  for (const key of due) {
    const reason = hasReachedLimit(parts, key) ? "amount" : "period";
    try {
      await rotateKey(parts, systemCaller(parts, key.namespace), key.id, { reason, prepublishSeconds: 0 });
    } catch (error) {
      parts.onAlarm({
        kind: "rotation",
        detail: error instanceof Error ? error.message : "unknown",
        ids: { keyId: key.id },
      });
    }
  }
}

function* dueKeys(parts: BrokerParts): Generator<KeyRecord> {
  const now = parts.sources.clock.now();
  let count = 0;
  for (const { name } of parts.catalog.namespaces()) {
    for (const key of parts.catalog.keys(name)) {
      const { nextTime } = key.rotation;
      const isDue = (nextTime !== null && nextTime <= now) || hasReachedLimit(parts, key);
      if (!isDue || key.hold !== null || effectiveLifecycle(key, now).state !== "active") continue;
      yield key;
      count += 1;
      if (count === PER_TURN) return;
    }
  }
}
