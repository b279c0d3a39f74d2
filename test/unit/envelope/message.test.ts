import { describe, expect, it } from "vitest";
import { NO_CONTEXT, type Context } from "#core/context.ts";
import { ciphertextInvalid } from "#core/errors.ts";
import { contextDigest } from "#envelope/context-digest.ts";
import { writeHeader } from "#envelope/header.ts";
import { sealMessage } from "#envelope/message.ts";
import { open, seal } from "#envelope/portable.ts";
import { decodeText } from "#envelope/text.ts";
import {
  fixedMessageIds,
  flipped,
  forgeFrames,
  KEY,
  OTHER_ID,
  refusalOf,
  TENANT_CONTEXT,
  VERSION_KEY,
} from "./fixtures.ts";

const plaintext = Buffer.from("attack at dawn");
const input = { versionKey: VERSION_KEY, keyUuid: KEY, keyVersion: 3, messageIds: fixedMessageIds };
const context = TENANT_CONTEXT;
const message = seal({ ...input, context, plaintext });
const openIt = (bytes: Uint8Array, changes: { versionKey?: Buffer; context?: Context } = {}): Buffer =>
  open({ versionKey: VERSION_KEY, context, bytes, ...changes });

const { code, message: text, publicMessage } = ciphertextInvalid();
const theOneError = { code, message: text, publicMessage };

describe("a message", () => {
  it("opens under its key and context", () => {
    expect(openIt(message)).toEqual(plaintext);
  });

  it.each([
    { name: "nothing", size: 0, suite: 1, added: 105 },
    { name: "65,536 bytes", size: 65_536, suite: 1, added: 105 },
    { name: "one byte more", size: 65_537, suite: 2, added: 121 },
  ])("of $name has suite $suite and $added bytes more", ({ size, suite, added }) => {
    const bytes = seal({ ...input, context, plaintext: Buffer.alloc(size, 7) });
    expect([bytes[4], bytes.length]).toEqual([suite, size + added]);
    expect(openIt(bytes).equals(Buffer.alloc(size, 7))).toBe(true);
  });

  it("has exactly the bytes of format 1", () => {
    const ids = [Buffer.from("434c560101", "hex"), Buffer.from(KEY.replaceAll("-", ""), "hex"), Buffer.of(0, 0, 0, 3)];
    expect(message).toEqual(forgeFrames(Buffer.concat(ids), contextDigest(context), [plaintext]));
  });

  it("of more than one frame's plaintext is refused, even from a holder of the key", () => {
    const forge = (length: number): Buffer =>
      forgeFrames(message.subarray(0, 25), contextDigest(context), [Buffer.alloc(length)]);
    expect(openIt(forge(65_536)).length).toBe(65_536);
    expect(refusalOf(() => openIt(forge(65_537)))).toEqual(theOneError);
  });

  it("of version 0 is refused, even from a holder of the key", () => {
    const head = writeHeader({ suite: "message", keyUuid: KEY, keyVersion: 0 });
    expect(refusalOf(() => openIt(forgeFrames(head, contextDigest(context), [plaintext])))).toEqual(theOneError);
  });

  it("refuses every flipped bit with the one error", () => {
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      expect(refusalOf(() => openIt(flipped(message, bit)))).toEqual(theOneError);
    }
  });

  it("refuses every truncation and every extension with the one error", () => {
    for (let length = 0; length < message.length; length += 1) {
      expect(refusalOf(() => openIt(message.subarray(0, length)))).toEqual(theOneError);
      expect(refusalOf(() => openIt(message.subarray(message.length - length)))).toEqual(theOneError);
    }
    for (const added of [1, 16, 65_536]) {
      expect(refusalOf(() => openIt(Buffer.concat([message, Buffer.alloc(added)])))).toEqual(theOneError);
    }
  });

  it.each<{ name: string; changes: Parameters<typeof openIt>[1] }>([
    { name: "another version key", changes: { versionKey: flipped(VERSION_KEY, 255) } },
    { name: "no context", changes: { context: NO_CONTEXT } },
    { name: "a context with one pair less", changes: { context: { kind: "map", pairs: new Map([["tenant", "42"]]) } } },
    { name: "a context of bytes", changes: { context: { kind: "bytes", bytes: contextDigest(context) } } },
  ])("refuses $name with the one error", ({ changes }) => {
    expect(refusalOf(() => openIt(message, changes))).toEqual(theOneError);
  });

  it.each([
    { name: "another version", claims: { keyVersion: 4 } },
    { name: "another key", claims: { keyUuid: OTHER_ID } },
  ])("refuses a header that claims $name, under the same key bytes", ({ claims }) => {
    const other = seal({ ...input, ...claims, context, plaintext });
    const forged = Buffer.concat([other.subarray(0, 25), message.subarray(25)]);
    expect(refusalOf(() => openIt(forged))).toEqual(theOneError);
  });

  it.each([0x03, 0x10, 0x80, 0x81, 0xff])("refuses suite %i with the one error", (suite) => {
    const forged = Buffer.from(message);
    forged.writeUInt8(suite, 4);
    expect(refusalOf(() => openIt(forged))).toEqual(theOneError);
  });

  it("refuses a plaintext beyond one frame", () => {
    const digest = contextDigest(context);
    const large = Buffer.alloc(65_537);
    const run = (): Buffer => sealMessage({ ...input, contextDigest: digest, plaintext: large });
    expect(refusalOf(run).code).toBe("PLAINTEXT_TOO_LARGE");
  });

  it("is never sealed or opened under a key that was dropped", () => {
    const dropped = Buffer.alloc(32);
    expect(refusalOf(() => seal({ ...input, versionKey: dropped, context, plaintext })).code).toBe("INTERNAL");
    expect(refusalOf(() => openIt(message, { versionKey: dropped })).code).toBe("INTERNAL");
    expect(refusalOf(() => openIt(message, { versionKey: VERSION_KEY.subarray(0, 31) })).code).toBe("INTERNAL");
  });

  it("leaves key, plaintext and ciphertext as they were", () => {
    const copies = [VERSION_KEY, plaintext, message].map((bytes) => Buffer.from(bytes));
    openIt(seal({ ...input, context, plaintext }));
    expect([VERSION_KEY, plaintext, message]).toEqual(copies);
  });
});

it("a text that is no ciphertext is refused with the one error", () => {
  for (const broken of [
    "",
    "clv1",
    "clv1.=",
    "clv1.AA==",
    "clv1.AB",
    "clv1.A",
    "clv2.AA",
    " clv1.AA",
    "clv1.A A",
    "clv1.+A",
  ]) {
    expect(refusalOf(() => decodeText(broken))).toEqual(theOneError);
  }
});
