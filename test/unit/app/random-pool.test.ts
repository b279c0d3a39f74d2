import { describe, expect, it } from "vitest";
import { createRandomPool } from "#app/random-pool.ts";

/** Every byte is the next number; remembers what it gave. */
function countingRandom() {
  const given: Buffer[] = [];
  let next = 0;
  const bytes = (length: number): Buffer => {
    const made = Buffer.from(Uint8Array.from({ length }, () => next++));
    given.push(made);
    return made;
  };
  return { given, bytes, kernelBytes: bytes };
}

describe("a pool of random bytes", () => {
  it("gives what its generator gives, each byte once", () => {
    const source = countingRandom();
    const pool = createRandomPool(source);
    const given = Array.from({ length: 300 }, () => Buffer.from(pool.bytes(32)));
    const drawn = Buffer.concat(source.given);
    expect(source.given.map(({ length }) => length)).toEqual([4096, 4096, 4096]);
    expect(Buffer.concat(given)).toEqual(drawn.subarray(0, 300 * 32));
  });

  it("draws anew where too little is left, and leaves the rest", () => {
    const source = countingRandom();
    const pool = createRandomPool(source);
    pool.bytes(4090);
    const next = Buffer.from(pool.bytes(16));
    expect(next).toEqual(source.given[1]?.subarray(0, 16));
  });

  it("asks its generator for what is longer than itself", () => {
    const source = countingRandom();
    expect(createRandomPool(source).bytes(5000)).toBe(source.given[1]);
  });

  it("lets kernel bytes through", () => {
    const source = countingRandom();
    expect(createRandomPool(source).kernelBytes(32)).toBe(source.given[1]);
  });
});
