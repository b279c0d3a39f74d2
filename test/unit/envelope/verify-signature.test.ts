import { constants, generateKeyPairSync, hash, type KeyObject, privateEncrypt, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { type SignatureToVerify, verifySignature } from "#envelope/verify-signature.ts";

const CURVES = {
  "EC-P256-SHA256": "prime256v1",
  "EC-P384-SHA384": "secp384r1",
  "EC-P521-SHA512": "secp521r1",
  "EC-SECP256K1-SHA256": "secp256k1",
} as const;
const CURVE_NAMES = Object.keys(CURVES) as (keyof typeof CURVES)[];

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pairs = {
  ...Object.fromEntries(CURVE_NAMES.map((name) => [name, generateKeyPairSync("ec", { namedCurve: CURVES[name] })])),
  ED25519: generateKeyPairSync("ed25519"),
  "ML-DSA-44": generateKeyPairSync("ml-dsa-44"),
  "RSA-2048-PSS-SHA256": rsa,
  "RSA-2048-PSS-SHA512": rsa,
  "RSA-2048-PKCS1-SHA256": rsa,
  "RSA-2048-PKCS1-SHA384": rsa,
  "RSA-2048-PKCS1-SHA512": rsa,
} as Readonly<Record<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>>;
const NAMES = Object.keys(pairs) as AlgorithmName[];

const MESSAGE = Buffer.from("what is signed");

function pairOf(algorithm: AlgorithmName): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return pairs[algorithm] ?? expect.fail("no such key");
}

function made(algorithm: AlgorithmName, options: Parameters<typeof sign>[2] | object = {}): Buffer {
  const { hash: name = null } = algorithmTraits(algorithm);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const padding = algorithm.includes("-PSS-") ? pss : {};
  return sign(name, MESSAGE, { key: pairOf(algorithm).privateKey, ...padding, ...(options as object) });
}

function digestOf(algorithm: AlgorithmName): Buffer {
  return hash(algorithmTraits(algorithm).hash ?? "sha256", MESSAGE, "buffer");
}

function verdict(algorithm: AlgorithmName, given: Partial<SignatureToVerify>): boolean | "unsupported" {
  const { publicKey } = pairOf(algorithm);
  const signable = { kind: "message", bytes: MESSAGE } as const;
  return verifySignature({ algorithm, publicKey, signable, signature: Buffer.alloc(0), ...given });
}

describe("verifying a signature", () => {
  it.each(NAMES)("with %s accepts a message's own, and no other's", (algorithm) => {
    const signature = made(algorithm);
    expect(verdict(algorithm, { signature })).toBe(true);
    expect(verdict(algorithm, { signature, signable: { kind: "message", bytes: Buffer.from("another") } })).toBe(false);
  });

  it.each(NAMES.filter((name) => name.startsWith("EC-") || name.includes("-PKCS1-")))(
    "with %s takes the message's digest, of the right length and of this message alone",
    (algorithm) => {
      const signature = made(algorithm);
      const bytes = digestOf(algorithm);
      expect(verdict(algorithm, { signature, signable: { kind: "digest", bytes } })).toBe(true);
      for (const other of [hash("sha224", MESSAGE, "buffer"), Buffer.alloc(bytes.length)]) {
        expect(verdict(algorithm, { signature, signable: { kind: "digest", bytes: other } })).toBe(false);
      }
    },
  );

  it.each(NAMES.filter((name) => !name.startsWith("EC-") && !name.includes("-PKCS1-")))(
    "with %s does not support digests",
    (algorithm) => {
      const signable = { kind: "digest", bytes: digestOf(algorithm) } as const;
      expect(verdict(algorithm, { signature: made(algorithm), signable })).toBe("unsupported");
    },
  );

  it.each(CURVE_NAMES)("with %s takes each encoding where it is named, and not the other", (algorithm) => {
    const der = made(algorithm);
    const raw = made(algorithm, { dsaEncoding: "ieee-p1363" });
    for (const kind of ["message", "digest"] as const) {
      const signable = { kind, bytes: kind === "message" ? MESSAGE : digestOf(algorithm) };
      expect(verdict(algorithm, { signable, signature: der })).toBe(true);
      expect(verdict(algorithm, { signable, signature: raw, encoding: "raw" })).toBe(true);
      expect(verdict(algorithm, { signable, signature: raw })).toBe(false);
      expect(verdict(algorithm, { signable, signature: der, encoding: "raw" })).toBe(false);
    }
  });

  it.each([0, 20, 33, 222])("with RSA-PSS refuses a salt of %i bytes where the digest has 32", (saltLength) => {
    expect(verdict("RSA-2048-PSS-SHA256", { signature: made("RSA-2048-PSS-SHA256", { saltLength }) })).toBe(false);
  });

  it("with PKCS #1 refuses a signature whose leading zeros are gone, as a message and as a digest", () => {
    const algorithm = "RSA-2048-PKCS1-SHA256";
    const [bytes, signature] = withLeadingZero();
    const digest = hash("sha256", bytes, "buffer");
    for (const signable of [
      { kind: "message", bytes },
      { kind: "digest", bytes: digest },
    ] as const) {
      expect(verdict(algorithm, { signable, signature })).toBe(true);
      expect(verdict(algorithm, { signable, signature: signature.subarray(1) })).toBe(false);
      expect(verdict(algorithm, { signable, signature: Buffer.concat([Buffer.alloc(1), signature]) })).toBe(false);
    }
  });

  it("with PKCS #1 refuses more or less than the DigestInfo of the hash", () => {
    const algorithm = "RSA-2048-PKCS1-SHA256";
    const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
    const digest = digestOf(algorithm);
    const withoutNull = Buffer.from("302f300b06096086480165030402010420", "hex");
    const forms = [
      [Buffer.concat([info, digest]), true],
      [Buffer.concat([info, digest, Buffer.alloc(1)]), false],
      [Buffer.concat([withoutNull, digest]), false],
      [digest, false],
    ] as const;
    for (const [form, fits] of forms) {
      const signature = privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_PKCS1_PADDING }, form);
      expect(verdict(algorithm, { signature, signable: { kind: "digest", bytes: digest } })).toBe(fits);
    }
  });

  it("never throws, whatever the bytes are, and accepts none of them", () => {
    const any = fc.tuple(fc.constantFrom(...NAMES), fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(any, ([algorithm, signature, isRaw, isDigest]) => {
        const signable = { kind: isDigest ? "digest" : "message", bytes: signature } as const;
        const encoding = isRaw ? "raw" : "der";
        expect(verdict(algorithm, { signature, signable, encoding })).not.toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("is false under a key of another kind", () => {
    const signature = made("EC-P256-SHA256");
    for (const publicKey of [rsa.publicKey, pairOf("ED25519").publicKey, pairOf("EC-P384-SHA384").publicKey]) {
      expect(verdict("EC-P256-SHA256", { signature, publicKey })).toBe(false);
    }
    expect(verdict("ED25519", { signature, publicKey: pairOf("EC-P256-SHA256").publicKey })).toBe(false);
  });
});

/** A message whose signature begins with a zero byte: one in 256. */
function withLeadingZero(): readonly [Buffer, Buffer] {
  for (let at = 0; ; at++) {
    const bytes = Buffer.from(`message ${at}`);
    const signature = sign("sha256", bytes, rsa.privateKey);
    if (signature[0] === 0) return [bytes, signature];
  }
}
