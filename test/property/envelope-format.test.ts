import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";
import { KmsError } from "#core/errors.ts";
import { parseUuid } from "#core/ids.ts";
import { contextDigest } from "#envelope/context-digest.ts";
import { parseFrame, SUITES, writeHeader, type Suite } from "#envelope/header.ts";
import { createMessageIdSource } from "#envelope/message-id.ts";
import { open, seal } from "#envelope/portable.ts";
import { decodeText, encodeText } from "#envelope/text.ts";
import { openVersionKey, sealVersionKey } from "#envelope/version-seal.ts";
import { countingRandom } from "../unit/envelope/fixtures.ts";

const context: fc.Arbitrary<Context> = fc.oneof(
  fc.constant<Context>({ kind: "none" }),
  fc
    .array(fc.tuple(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ unit: "binary", maxLength: 20 })), {
      maxLength: 8,
    })
    .map((pairs): Context => ({ kind: "map", pairs: new Map(pairs) })),
  fc.uint8Array({ maxLength: 60 }).map((bytes): Context => ({ kind: "bytes", bytes })),
);
const uuid = fc.uuid().map((text) => parseUuid(text));
const uint32 = fc.integer({ min: 1, max: 0xffffffff });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => byte !== 0));
const messageIds = createMessageIdSource({
  random: countingRandom(),
  clock: { monotonicMs: () => 1 },
  processSecret: Buffer.alloc(32, 1),
});

/** Reads an encoding back, as keys.md writes it down: if this is possible for all, two contexts never share bytes. */
function decodeContext(encoded: Buffer): Context {
  if (encoded[0] === 0) return { kind: "none" };
  if (encoded[0] === 2) return { kind: "bytes", bytes: encoded.subarray(5, 5 + encoded.readUInt32BE(1)) };
  const pairs = new Map<string, string>();
  let at = 3;
  const next = (): string => {
    const length = encoded.readUInt16BE(at);
    at += 2 + length;
    return encoded.toString("utf8", at - length, at);
  };
  for (let left = encoded.readUInt16BE(1); left > 0; left -= 1) pairs.set(next(), next());
  expect(at).toBe(encoded.length);
  return { kind: "map", pairs };
}

const plain = (one: Context): unknown => {
  if (one.kind === "bytes") return Buffer.from(one.bytes).toString("hex");
  return one.kind === "map" && one.pairs.size > 0 ? new Map(one.pairs) : null;
};

describe("the encoding of a context", () => {
  it("can be read back, so that no two contexts share bytes", () => {
    fc.assert(
      fc.property(context, (one) => {
        expect(plain(decodeContext(encodeContext(one)))).toEqual(plain(one));
      }),
    );
  });
});

describe("the text form", () => {
  it("gives the bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeText(encodeText(bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it("has one text for one binary: what decodes at all encodes to itself", () => {
    const alphabet = fc.constantFrom(...Array.from("ABCDwxyz0189-_+/= \n"));
    const text = fc.string({ unit: alphabet, maxLength: 12 }).map((tail) => `clv1.${tail}`);
    fc.assert(
      fc.property(text, (one) => {
        let again = one;
        try {
          again = encodeText(decodeText(one));
        } catch (error) {
          expect(error).toBeInstanceOf(KmsError);
        }
        expect(again).toBe(one);
      }),
    );
  });
});

describe("the header", () => {
  it("says what was written", () => {
    const suite = fc.constantFrom(...(Object.keys(SUITES) as Suite[]));
    fc.assert(
      fc.property(fc.record({ suite, keyUuid: uuid, keyVersion: uint32 }), fc.uint8Array(), (header, rest) => {
        const bytes = writeHeader(header);
        expect(parseFrame(Buffer.concat([bytes, rest]))).toEqual({ ...header, header: bytes });
      }),
    );
  });

  it("is read from any bytes or refused as every bad ciphertext is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => parseFrame(bytes)).toThrow(expect.objectContaining({ code: "CIPHERTEXT_INVALID" }));
      }),
    );
  });
});

describe("sealing", () => {
  it("opens to what was sealed, under exactly its context", () => {
    const size = fc.oneof(fc.nat(300), fc.integer({ min: 65_530, max: 65_545 }));
    fc.assert(
      fc.property(
        fc.record({ versionKey: key, keyUuid: uuid, keyVersion: uint32 }),
        size,
        context,
        context,
        (at, length, one, other) => {
          const plaintext = Buffer.alloc(length, 0xc5);
          const bytes = seal({ ...at, context: one, plaintext, messageIds });
          expect(open({ versionKey: at.versionKey, bytes, context: one }).equals(plaintext)).toBe(true);
          fc.pre(!contextDigest(one).equals(contextDigest(other)));
          expect(() => open({ versionKey: at.versionKey, bytes, context: other })).toThrow("CIPHERTEXT_INVALID");
        },
      ),
    );
  });

  it("of a version key opens where it was made and nowhere else", () => {
    const place = fc.record({
      branchKey: key,
      namespace: uuid,
      key: uuid,
      version: uint32,
      branch: uuid,
      branchVersion: uint32,
    });
    fc.assert(
      fc.property(place, place, key, (here, there, versionKey) => {
        const sealed = sealVersionKey({ ...here, versionKey });
        expect(openVersionKey({ ...here, seal: sealed }).equals(versionKey)).toBe(true);
        for (const [name, value] of Object.entries(there)) {
          const moved = { ...here, [name]: value };
          if (isDeepStrictEqual(moved, { ...here })) continue; // fast-check makes records without a prototype too
          expect(() => openVersionKey({ ...moved, seal: sealed })).toThrow("INTEGRITY_FAILURE");
        }
      }),
      { numRuns: 50 },
    );
  });
});
