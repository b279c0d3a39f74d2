import { findBranch, type Placement } from "./branch.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";

/**
 * Waits, once, while another request makes the branch of a placement that has none: keys that are created together share one, instead of
 * having one each for good. While the answer is held, others wait for this request; whoever waited in vain goes on by himself.
 *
 * @throws {KmsError} `DEADLINE_EXCEEDED`
 */
export async function takeTurn(parts: BrokerParts, caller: Caller, placement: Placement): Promise<Disposable> {
  const { placing } = parts;
  const name = nameOf(placement);
  if (name === undefined || findBranch(parts, placement) !== undefined) return NO_TURN;
  const other = placing.get(name);
  if (other !== undefined) {
    await caller.deadline.race(other);
    return NO_TURN;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  placing.set(name, promise);
  return {
    [Symbol.dispose]: () => {
      placing.delete(name);
      resolve();
    },
  };
}

const NO_TURN: Disposable = { [Symbol.dispose]: () => undefined };

/** What {@link findBranch} compares; undefined for a branch that is one key's own. */
function nameOf({ namespace, route, custody, dedicatedTo }: Placement): string | undefined {
  if (dedicatedTo !== null) return undefined;
  return JSON.stringify([namespace.id, route, custody.minimum, custody.threshold, custody.holders]);
}
