import { describe, expect, it } from "vitest";
import { ciphertextInvalid } from "#core/errors.ts";
import { contextDigest } from "#envelope/context-digest.ts";
import { open, seal } from "#envelope/portable.ts";
import { countFrames, openStream, sealStream } from "#envelope/stream.ts";
import { fixedMessageIds, flipped, forgeFrames, KEY, refusalOf, TENANT_CONTEXT, VERSION_KEY } from "./fixtures.ts";

const FRAME = 65_552;
const PREAMBLE = 89;
const context = TENANT_CONTEXT;
const plaintext = Buffer.alloc(2 * 65_536 + 5).map((_, index) => index % 251);
const input = { versionKey: VERSION_KEY, keyUuid: KEY, keyVersion: 3, messageIds: fixedMessageIds };
const stream = seal({ ...input, context, plaintext });
const openIt = (bytes: Uint8Array): Buffer => open({ versionKey: VERSION_KEY, context, bytes });
const frame = (index: number): Buffer => stream.subarray(PREAMBLE + index * FRAME, PREAMBLE + (index + 1) * FRAME);
const preamble = stream.subarray(0, PREAMBLE);

const { code, message, publicMessage } = ciphertextInvalid();
const theOneError = { code, message, publicMessage };

describe("a stream", () => {
  it("opens whole", () => {
    expect(openIt(stream).equals(plaintext)).toBe(true);
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 131_072])("of %i bytes opens", (size) => {
    const digest = contextDigest(context);
    const bytes = sealStream({ ...input, contextDigest: digest, plaintext: plaintext.subarray(0, size) });
    const opened = openStream({ versionKey: VERSION_KEY, contextDigest: digest, bytes });
    expect(opened.equals(plaintext.subarray(0, size))).toBe(true);
  });

  it.each([
    { name: "a frame less", frames: [0, 1] },
    { name: "only its last frame", frames: [2] },
    { name: "frames in another order", frames: [1, 0, 2] },
    { name: "a frame twice", frames: [0, 0, 1, 2] },
    { name: "its last frame twice", frames: [0, 1, 2, 2] },
    { name: "no frame", frames: [] },
  ])("with $name is refused with the one error", ({ frames }) => {
    expect(refusalOf(() => openIt(Buffer.concat([preamble, ...frames.map(frame)])))).toEqual(theOneError);
  });

  it("refuses flipped bits in its head and at each end of each frame with the one error", () => {
    const bytes = [...preamble.keys()];
    for (let at = PREAMBLE; at <= stream.length; at += FRAME) bytes.push(at - 1, at, at + 15);
    bytes.push(stream.length - 1);
    for (const at of bytes.filter((index) => index < stream.length)) {
      expect(refusalOf(() => openIt(flipped(stream, at * 8 + 3)))).toEqual(theOneError);
    }
  });

  it("refuses lengths around every border of a frame with the one error", () => {
    for (const border of [PREAMBLE, PREAMBLE + FRAME, PREAMBLE + 2 * FRAME, stream.length]) {
      for (let length = border - 18; length <= border + 18; length += 1) {
        if (length === stream.length) continue;
        const cut = Buffer.concat([stream, Buffer.alloc(18)]).subarray(0, length);
        expect(refusalOf(() => openIt(cut))).toEqual(theOneError);
      }
    }
  });

  it("does not open as a message, nor a message as a stream", () => {
    const relabelled = Buffer.from(stream.subarray(0, PREAMBLE + 100));
    relabelled.writeUInt8(1, 4);
    expect(refusalOf(() => openIt(relabelled))).toEqual(theOneError);
    const small = seal({ ...input, context, plaintext: Buffer.from("small") });
    small.writeUInt8(2, 4);
    expect(refusalOf(() => openIt(small))).toEqual(theOneError);
  });

  it("whose last frame is empty, or whose frames are short, is refused, even from a holder of the key", () => {
    const forge = (...sizes: readonly number[]): Buffer =>
      forgeFrames(
        stream.subarray(0, 25),
        contextDigest(context),
        sizes.map((size) => Buffer.alloc(size)),
      );
    expect(openIt(forge(65_536, 1)).length).toBe(65_537);
    for (const forged of [forge(65_536, 0), forge(65_535, 1), forge(1, 1), forge(65_537)]) {
      expect(refusalOf(() => openIt(forged))).toEqual(theOneError);
    }
  });

  it("has at most 2^24 frames", () => {
    expect(countFrames(2 ** 24 * FRAME)).toBe(2 ** 24);
    expect(refusalOf(() => countFrames(2 ** 24 * FRAME + 17))).toEqual(theOneError);
  });
});
