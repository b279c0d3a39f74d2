import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isPublicHalf, isWholePair } from "#envelope/key-pair.ts";

type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
const PAIRS: Readonly<Record<string, () => Pair>> = {
  "P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  secp256k1: () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  "RSA-2048": () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync("ed25519"),
  X25519: () => generateKeyPairSync("x25519"),
  "ML-DSA-44": () => generateKeyPairSync("ml-dsa-44"),
  "ML-KEM-768": () => generateKeyPairSync("ml-kem-768"),
};
const pkcs8 = ({ privateKey }: Pair): Buffer => privateKey.export({ format: "der", type: "pkcs8" });
const spki = ({ publicKey }: Pair): Buffer => publicKey.export({ format: "der", type: "spki" });

describe("the halves of a private key that was brought", () => {
  it.each(Object.keys(PAIRS))("belong together: %s", (name) => {
    const make = PAIRS[name] ?? expect.fail("no such kind");
    const [pair, other] = [make(), make()];
    expect(isWholePair(pkcs8(pair))).toBe(true);
    expect(isPublicHalf(spki(pair), pkcs8(pair))).toBe(true);
    expect(isPublicHalf(spki(other), pkcs8(pair))).toBe(false);
  });

  it("do not, where an EC key claims another's point or an RSA key another modulus", () => {
    const make = PAIRS["P-256"] ?? expect.fail("no such kind");
    const [one, other] = [pkcs8(make()), pkcs8(make())];
    // the two coordinates stand last (RFC 5915)
    expect(isWholePair(Buffer.concat([one.subarray(0, -64), other.subarray(-64)]))).toBe(false);
    const rsa = pkcs8((PAIRS["RSA-2048"] ?? expect.fail("no such kind"))());
    const changed = Buffer.from(rsa);
    changed[60] = (changed[60] ?? 0) ^ 1; // within the modulus
    expect(isWholePair(changed)).toBe(false);
  });

  it("are none of anything else", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(48, 7), spki(generateKeyPairSync("ed25519"))]) {
      expect(isWholePair(bytes)).toBe(false);
      expect(isPublicHalf(bytes, bytes)).toBe(false);
    }
  });
});
