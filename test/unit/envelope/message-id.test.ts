import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createMessageIdSource } from "#envelope/message-id.ts";
import { countingKey, countingRandom } from "./fixtures.ts";

const processSecret = countingKey(1);
const contextDigest = countingKey(2);
const plaintext = Buffer.from("plaintext");
const sourceAt = (ms: number) =>
  createMessageIdSource({ random: countingRandom(), clock: { monotonicMs: () => ms }, processSecret });
const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const label = Buffer.from("claviger/1 message id\0");

describe("the id of a message", () => {
  it("takes in the process secret, fresh random bytes, the context and the plaintext", () => {
    const random = countingRandom().bytes(32);
    const id = sourceAt(5).forMessage({ contextDigest, plaintext });
    expect(id).toEqual(sha256(label, processSecret, random, contextDigest, plaintext));
  });

  it.each([0, 1, 4095, 4096, 4097, 65_536])("takes in all of a plaintext of %i bytes", (length) => {
    const random = countingRandom().bytes(32);
    const long = Buffer.alloc(length, 7);
    const id = sourceAt(5).forMessage({ contextDigest, plaintext: long });
    expect(id).toEqual(sha256(label, processSecret, random, contextDigest, long));
  });

  it("of a short message has nothing of a longer one before it", () => {
    const source = countingRandom();
    source.bytes(32);
    const random = source.bytes(32);
    const messages = sourceAt(5);
    messages.forMessage({ contextDigest, plaintext: Buffer.alloc(4096, 0xff) });
    const id = messages.forMessage({ contextDigest, plaintext });
    expect(id).toEqual(sha256(label, processSecret, random, contextDigest, plaintext));
  });

  it("takes in kernel bytes and the monotonic time instead of the plaintext of a stream", () => {
    const source = countingRandom();
    const [own, kernel] = [source.bytes(32), source.kernelBytes(32)];
    const time = Buffer.from("000000000012d9f0", "hex"); // 1,235,440 ns
    const id = sourceAt(1.23544).forStream({ contextDigest });
    expect(id).toEqual(sha256(label, processSecret, own, contextDigest, kernel, time));
  });

  it("differs between clones that draw the same random for different messages, and only then", () => {
    const id = sourceAt(5).forMessage({ contextDigest, plaintext });
    expect(sourceAt(5).forMessage({ contextDigest, plaintext: Buffer.from("another") })).not.toEqual(id);
    expect(sourceAt(5).forMessage({ contextDigest: countingKey(3), plaintext })).not.toEqual(id);
    expect(sourceAt(5).forMessage({ contextDigest, plaintext })).toEqual(id);
  });

  it("does not repeat for the same message in one process", () => {
    const source = sourceAt(5);
    const id = source.forMessage({ contextDigest, plaintext });
    expect(source.forMessage({ contextDigest, plaintext })).not.toEqual(id);
  });
});
