import { createHash } from "node:crypto";
import type { Clock, Random } from "#core/clock.ts";
import { labelled } from "./info.ts";
import { sha256 } from "./sha256.ts";

/** Makes message ids: 32 bytes, the salt of one message's keys. They never repeat for different messages, not even in cloned machines. */
export interface MessageIdSource {
  /** Suite 01: takes in the plaintext, so that clones which draw the same random differ unless the message is the same. */
  forMessage(input: { readonly contextDigest: Uint8Array; readonly plaintext: Uint8Array }): Buffer;
  /** Suite 02: takes in 32 bytes of the kernel's (which reseeds in a cloned machine) and the monotonic time. */
  forStream(input: { readonly contextDigest: Uint8Array }): Buffer;
}

export type MessageIdParts = {
  readonly random: Random;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** 32 bytes that this process made at its start and tells nobody. */
  readonly processSecret: Uint8Array;
};

/**
 * Ids are SHA-256("claviger/1 message id" || 00 || process secret 32 || random 32 || SHA-256(context) || rest), where rest is the plaintext
 * (suite 01), or 32 kernel bytes || monotonic nanoseconds u64 (suite 02). Whoever opens a message takes its id as it stands.
 */
export function createMessageIdSource({ random, clock, processSecret }: MessageIdParts): MessageIdSource {
  const prefix = labelled("claviger/1 message id", processSecret);
  const begin = (contextDigest: Uint8Array) =>
    createHash("sha256").update(Buffer.concat([prefix, random.bytes(32), contextDigest]));
  const small = createSmallIds(prefix, random);
  return {
    forMessage({ contextDigest, plaintext }) {
      if (plaintext.length <= SMALL_BYTES) return small(contextDigest, plaintext);
      return begin(contextDigest).update(plaintext).digest();
    },
    forStream({ contextDigest }) {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(Math.round(clock.monotonicMs() * 1e6)));
      return begin(contextDigest).update(random.kernelBytes(32)).update(time).digest();
    },
  };
}

/** Up to here one pass over bytes that were put together is faster than a hash that is fed piece by piece. */
const SMALL_BYTES = 4096;

function createSmallIds(prefix: Buffer, random: Random): (contextDigest: Uint8Array, plaintext: Uint8Array) => Buffer {
  const input = Buffer.allocUnsafeSlow(prefix.length + 64 + SMALL_BYTES);
  input.set(prefix);
  const afterRandom = prefix.length + 32;
  const start = afterRandom + 32;
  return (contextDigest, plaintext) => {
    input.set(random.bytes(32), prefix.length);
    input.set(contextDigest, afterRandom);
    input.set(plaintext, start);
    const end = start + plaintext.length;
    const id = sha256(input.subarray(0, end));
    input.fill(0, start, end);
    return id;
  };
}
