import { describe, expect, it } from "vitest";
import { unwrapKey, wrapKey, type KeyWrapMode } from "#envelope/key-wrap.ts";
import { flipped } from "./fixtures.ts";

const PUBLISHED: readonly {
  readonly name: string;
  readonly mode: KeyWrapMode;
  readonly kek: string;
  readonly key: string;
  readonly wrapped: string;
}[] = [
  {
    name: "RFC 3394 § 4.6",
    mode: "kw",
    kek: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    key: "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
    wrapped: "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
  },
  {
    name: "NIST CAVP KW_AE_256, 256 bits",
    mode: "kw",
    kek: "8b54e6bc3d20e823d96343dc776c0db10c51708ceecc9a38a14beb4ca5b8b221",
    key: "d6192635c620dee3054e0963396b260af5c6f02695a5205f159541b4bc584bac",
    wrapped: "b13eeb7619fab818f1519266516ceb82abc0e699a7153cf26edcb8aeb879f4c011da906841fc5956",
  },
  {
    name: "NIST CAVP KWP_AE_256, 8 bits",
    mode: "kwp",
    kek: "95da2700ca6fd9a52554ee2a8df1386f5b94a1a60ed8a4aef60a8d61ab5f225a",
    key: "d1",
    wrapped: "06ba7ae6f3248cfdcf267507fa001bc4",
  },
  {
    name: "NIST CAVP KWP_AE_256, 72 bits",
    mode: "kwp",
    kek: "70da43aac823c6dd37d1109f5b18feb4503c973288989745e2cc1cc21d9570c6",
    key: "edf17d966ed896aee3",
    wrapped: "d67b5b2ad15c645450e23b5e7b6d682f8ae20e716d470db7",
  },
  {
    name: "NIST CAVP KWP_AE_256, 248 bits",
    mode: "kwp",
    kek: "e9bb7f44c7baafbf392ab912589a2f8db53268106eafb74689bb1833136e6113",
    key: "ffe952604834bff899e63658f34246815c91597eb40a21729e0a8a959b61f2",
    wrapped: "15b9f06fbc765e5e3d55d6b824616f21921d2a6918ee7bf1406b524274e170b4a78333ca5ee92af5",
  },
];

describe.for(PUBLISHED)("key wrapping, $name", ({ mode, ...hex }) => {
  const [kek, key, wrapped] = [hex.kek, hex.key, hex.wrapped].map((text) => Buffer.from(text, "hex")) as [
    Buffer,
    Buffer,
    Buffer,
  ];

  it("has the published bytes", () => {
    expect(wrapKey(mode, { kek, key })).toEqual(wrapped);
  });

  it("opens to a buffer of its own", () => {
    const opened = unwrapKey(mode, { kek, wrapped });
    expect(opened).toEqual(key);
    expect(opened?.buffer.byteLength).toBe(key.length);
  });

  it("opens for no flipped bit and no other length", () => {
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
      expect(unwrapKey(mode, { kek, wrapped: flipped(wrapped, bit) })).toBeUndefined();
    }
    for (let length = 0; length < wrapped.length; length += 1) {
      expect(unwrapKey(mode, { kek, wrapped: wrapped.subarray(0, length) })).toBeUndefined();
    }
    expect(unwrapKey(mode, { kek, wrapped: Buffer.concat([wrapped, Buffer.alloc(8)]) })).toBeUndefined();
  });
});

it("NIST CAVP KW_AD_256 count 4, which must fail, fails", () => {
  const kek = Buffer.from("08c936b25b567a0aa679c29f201bf8b190327df0c2563e39cee061f149f4d91b", "hex");
  const wrapped = Buffer.from("e227eb8ae9d239ccd8928adec39c28810ca9b3dc1f366444", "hex");
  expect(unwrapKey("kw", { kek, wrapped })).toBeUndefined();
});
