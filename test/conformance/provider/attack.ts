import { expect } from "vitest";
import type { Provider } from "#core/provider.ts";
import { faultOf, type Subject } from "./subject.ts";

/** Every way in which the suite damages a message: each bit flipped, each shorter length, and one byte more. */
export function* damaged(message: Uint8Array, sizes: Subject["sizes"]): Generator<Buffer> {
  for (const bit of spread(message.length * 8, sizes.flippedBits)) yield flipped(message, bit);
  for (const length of spread(message.length, sizes.cuts)) yield Buffer.from(message.subarray(0, length));
  yield Buffer.concat([message, Buffer.alloc(1)]);
}

/** One bit of a message changed. */
export function flipped(message: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(message);
  const at = bit >> 3;
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << (bit & 7)), at);
  return copy;
}

/** Whole numbers from 0 below `end`, at most `count` of them, first and last included. */
function* spread(end: number, count: number): Generator<number> {
  const steps = Math.min(end, Math.max(2, count));
  for (let step = 0; step < steps; step++) yield Math.round((step * (end - 1)) / (steps - 1 || 1));
}

/**
 * Expects each attempt to be refused as INVALID, all in the same words: who sends bytes must not learn what is wrong with them. (The
 * service's own code may tell more; it is for operators.)
 */
export async function expectAllInvalid(provider: Provider, attempts: Iterable<() => Promise<unknown>>): Promise<void> {
  const answers = new Set<string>();
  for (const attempt of attempts) {
    const { failure, detail } = await faultOf(provider, attempt);
    expect(failure).toBe("INVALID");
    answers.add(detail);
  }
  expect([...answers]).toHaveLength(1);
}
