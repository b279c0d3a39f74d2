import type { Random } from "#core/clock.ts";

const POOL_BYTES = 4096;

/**
 * The same generator, asked for 4,096 bytes at a time: a call takes about as long for 32. No byte is given out twice.
 *
 * For what is shown to everybody and used at once, such as ids and what goes into them: pieces are views of one buffer, so never for keys.
 */
export function createRandomPool(random: Random): Random {
  let pool = random.bytes(POOL_BYTES);
  let given = 0;
  return {
    bytes: (length) => {
      if (length > POOL_BYTES) return random.bytes(length);
      if (given + length > POOL_BYTES) {
        pool = random.bytes(POOL_BYTES);
        given = 0;
      }
      given += length;
      return pool.subarray(given - length, given);
    },
    kernelBytes: (length) => random.kernelBytes(length),
  };
}
