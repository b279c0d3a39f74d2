import { createSecretKey, hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { parseUuid } from "#core/ids.ts";
import { openGcm, sealGcm } from "#providers/local-hsm/gcm.ts";
import { unwrapUnder, wrapUnder } from "#providers/local-hsm/kwp.ts";
import { masterKeyCheck } from "#providers/local-hsm/master-key.ts";
import { objectIdOf, objectIdOfRef } from "#providers/local-hsm/names.ts";
import { openOpaque, sealOpaque } from "#providers/local-hsm/opaque.ts";

// Expected bytes: computed apart from this code, with Python's cryptography 48 and hashlib.
const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const plaintext = Buffer.from("attack at dawn");
const context: Context = { kind: "map", pairs: new Map([["a", "1"]]) };

describe("AES-256-KWP under a derived key", () => {
  const wrapKey = {
    key,
    objectId: parseUuid("0193b3a0-0000-7000-8000-000000000001"),
    additionalData: hash("sha256", "context", "buffer"),
  };
  const payload = Buffer.from(Array.from({ length: 72 }, (_, at) => 100 + at));

  it.each([
    {
      name: "a payload of a branch key",
      bytes: payload,
      wrap:
        "71b9ed187e349f0bcc8ab2846da40851b7fee102809f5de518a75d90273d27cb" +
        "dea7f18c7ecc0b8fabc467f8772f453443adeedcdd7b298633bfe3bfbde5f5c00e4b3f4bbdc8042a4ab6bbf7909d6e12",
    },
    {
      name: "28 bytes, padded",
      bytes: Buffer.alloc(28),
      wrap: "9d38f68e7e8ace848f12d6aed9aaf8da59dd2021ca3310e96d4ce9bf235560eefc8ea01b7e3c1780",
    },
  ])("is exact for $name", ({ bytes, wrap }) => {
    expect(wrapUnder(wrapKey, bytes).toString("hex")).toBe(wrap);
    expect(unwrapUnder(wrapKey, Buffer.from(wrap, "hex")).equals(bytes)).toBe(true);
  });

  it("takes the key as an object too", () => {
    expect(wrapUnder({ ...wrapKey, key: createSecretKey(key) }, payload).equals(wrapUnder(wrapKey, payload))).toBe(
      true,
    );
  });

  it("opens under no other key, object or additional data", () => {
    const wrap = wrapUnder(wrapKey, payload);
    const others = [
      { ...wrapKey, key: Buffer.alloc(32) },
      { ...wrapKey, objectId: parseUuid("0193b3a0-0000-7000-8000-000000000002") },
      { ...wrapKey, additionalData: hash("sha256", "other", "buffer") },
    ];
    for (const other of others) expect(() => unwrapUnder(other, wrap)).toThrow("the bytes do not open");
  });

  it.each([0, 8, 15, 16, 17, 24, 79, 81])("refuses %i bytes that are no wrap", (length) => {
    expect(() => unwrapUnder(wrapKey, Buffer.alloc(length))).toThrow("the bytes do not open");
  });
});

describe("AES-256-OPAQUE", () => {
  const entropy = { processSecret: Buffer.alloc(32, 1), random: Buffer.alloc(32, 2) };
  const expected =
    "60ce260d916afdf5eeb9de09b3ddae8f409127d2f36fbde8fe3acb6e7a9f9dce" +
    "a269b4e61ecd4cbb77a620c35e8a88473ea3eb909e3c9f0fcfab374c2ab78503" +
    "6e51d7b9d2277d57638a4bccec22f1492a88a3f801b67c3245fa2fee5248";

  it("is exact: message id, commitment, frame", () => {
    expect(sealOpaque({ key, plaintext, context, entropy }).toString("hex")).toBe(expected);
    expect(openOpaque({ key, ciphertext: Buffer.from(expected, "hex"), context }).equals(plaintext)).toBe(true);
  });

  it("takes an empty plaintext", () => {
    const ciphertext = sealOpaque({ key, plaintext: Buffer.alloc(0), context: NO_CONTEXT, entropy });
    expect(ciphertext).toHaveLength(80);
    expect(openOpaque({ key, ciphertext, context: NO_CONTEXT })).toHaveLength(0);
  });

  it("gives two messages two ids, though a clone draws the same randomness", () => {
    const other = sealOpaque({ key, plaintext: Buffer.from("attack at dusk"), context, entropy });
    expect(other.toString("hex").slice(0, 64)).not.toBe(expected.slice(0, 64));
  });
});

describe("raw AES-256-GCM", () => {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test case 16.
  const standard = {
    key: Buffer.from("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "hex"),
    iv: Buffer.from("cafebabefacedbaddecaf888", "hex"),
    aad: Buffer.from("feedfacedeadbeeffeedfacedeadbeefabaddad2", "hex"),
    plaintext: Buffer.from(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "hex",
    ),
    ciphertext:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  };

  it("is iv, ciphertext, tag, with the bytes of the context as additional data", () => {
    const bytes: Context = { kind: "bytes", bytes: standard.aad };
    const input = { key: standard.key, plaintext: standard.plaintext, iv: standard.iv, context: bytes };
    const ciphertext = sealGcm(input);
    expect(ciphertext.toString("hex")).toBe(standard.iv.toString("hex") + standard.ciphertext + standard.tag);
    expect(openGcm({ key: standard.key, ciphertext, context: bytes }).equals(standard.plaintext)).toBe(true);
  });

  it("binds the encoding of a map", () => {
    const encoded: Context = { kind: "bytes", bytes: Buffer.from("010001000161000131", "hex") };
    const iv = Buffer.alloc(12, 3);
    expect(sealGcm({ key, plaintext, iv, context }).equals(sealGcm({ key, plaintext, iv, context: encoded }))).toBe(
      true,
    );
  });
});

describe("names", () => {
  it("a marker's object is the same in each process, and another in another token", () => {
    const token = parseUuid("0193b3a0-0000-7000-8000-000000000002");
    expect(objectIdOf({ token, marker: "op-1" })).toBe("2b5e7ff8-2820-86b8-a1c3-f8d084d956ef");
    const other = parseUuid("0193b3a0-0000-7000-8000-000000000003");
    expect(objectIdOf({ token: other, marker: "op-1" })).not.toBe(objectIdOf({ token, marker: "op-1" }));
  });

  it("the check of a master key is exact", () => {
    const token = parseUuid("0193b3a0-0000-7000-8000-000000000002");
    expect(masterKeyCheck(createSecretKey(key), token)).toBe(
      "c9baa32d3d313bc1e32070c7cfe8d52fa481c1dec542cf25d95ddad12c181e13",
    );
  });

  it.each([
    "",
    "..",
    "../token.json",
    "2b5e7ff8-2820-86b8-a1c3-f8d084d956ef/../x",
    "2B5E7FF8-2820-86B8-A1C3-F8D084D956EF",
  ])("the reference %j names nothing, and never becomes a path", (ref) => {
    expect(() => objectIdOfRef(ref)).toThrow("no such key");
  });
});
