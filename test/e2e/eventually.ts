import { setTimeout as wait } from "node:timers/promises";

const POLL_MS = 50;

/** Asks again and again until the answer is something, at most for `withinMs`. Rejects with what was wanted. */
export async function eventually<T>(
  wanted: string,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`within ${withinMs} ms: ${wanted}`);
    await wait(POLL_MS);
  }
}
