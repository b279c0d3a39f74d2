import type { Subject } from "./subject.ts";
import { type Use, usesOf, withOwnBytes } from "./uses.ts";

/** Keys, by their algorithm, and the uses that they have. */
export type Prepared = { readonly refs: ReadonlyMap<string, string>; readonly uses: readonly Use[] };

/** What {@link prepare} gives, for all tests of states: each leaves the keys enabled, but for the last, which destroys them. */
export async function keysToChange(subject: Subject): Promise<Prepared> {
  return await subject.once("keys whose states change", async () => await prepare(subject));
}

/** A key of its own per algorithm, and every use of it, with bytes that it opens: only its state will speak against them. */
async function prepare({ harness, provider, freshKey }: Subject): Promise<Prepared> {
  const refs = new Map<string, string>();
  const uses: Use[] = [];
  for (const use of usesOf(harness.capabilities)) {
    const ref = refs.get(use.algorithm) ?? (await freshKey(use.algorithm));
    refs.set(use.algorithm, ref);
    uses.push(await withOwnBytes(use, provider, ref));
  }
  return { refs, uses };
}
