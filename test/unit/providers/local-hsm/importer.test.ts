import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AlgorithmName, hasPublicKey } from "#core/algorithms.ts";
import { NO_CONTEXT } from "#core/context.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { call, expectUnsupported, faultOf } from "../../../conformance/provider/subject.ts";
import { keptHsm, pkcs8Of, rsaKey } from "./kept.ts";

const { provider, keyOf, restart } = await keptHsm();
let count = 0;

async function imported(algorithm: AlgorithmName, material: Uint8Array, marker = `import-${count++}`) {
  return await provider.importer.importKey({ algorithm, marker, description: "from outside", material }, call());
}

async function expectRefused(algorithm: AlgorithmName, material: Uint8Array): Promise<void> {
  const fault = await faultOf(provider, async () => await imported(algorithm, material));
  expect(fault).toEqual({
    failure: "INVALID",
    nativeCode: "InvalidKey",
    detail: `the bytes are no key for ${algorithm}`,
  });
}

const ec = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).privateKey;
const ASYMMETRIC: Partial<Record<AlgorithmName, () => KeyObject>> = {
  "EC-P256-SHA256": () => ec("P-256"),
  "EC-P384-SHA384": () => ec("P-384"),
  "EC-P521-SHA512": () => ec("P-521"),
  "EC-SECP256K1-SHA256": () => ec("secp256k1"),
  "ECDH-P256": () => ec("P-256"),
  "ECDH-P384": () => ec("P-384"),
  "ECDH-P521": () => ec("P-521"),
  ED25519: () => generateKeyPairSync("ed25519").privateKey,
  X25519: () => generateKeyPairSync("x25519").privateKey,
  "ML-KEM-512": () => generateKeyPairSync("ml-kem-512").privateKey,
  "ML-KEM-768": () => generateKeyPairSync("ml-kem-768").privateKey,
  "ML-KEM-1024": () => generateKeyPairSync("ml-kem-1024").privateKey,
  "ML-DSA-44": () => generateKeyPairSync("ml-dsa-44").privateKey,
  "ML-DSA-65": () => generateKeyPairSync("ml-dsa-65").privateKey,
  "ML-DSA-87": () => generateKeyPairSync("ml-dsa-87").privateKey,
  "SLH-DSA-SHA2-128s": () => generateKeyPairSync("slh-dsa-sha2-128s").privateKey,
  "RSA-2048-OAEP-SHA256": () => rsaKey(2048),
  "RSA-2048-PSS-SHA512": () => rsaKey(2048),
  "RSA-3072-PKCS1-SHA384": () => rsaKey(3072),
};

describe("an import", () => {
  it("is offered for every algorithm of which keys are made", () => {
    const all = new Set(LOCAL_CAPABILITIES.rows.map(({ algorithm }) => algorithm));
    const imports = LOCAL_CAPABILITIES.rows.filter(({ operation }) => operation === "import");
    expect(new Set(imports.map(({ algorithm }) => algorithm))).toEqual(all);
  });

  it.each(Object.entries(ASYMMETRIC))("of %s makes a key with the same public half", async (name, make) => {
    const algorithm = name as AlgorithmName;
    const key = make();
    const made = await imported(algorithm, pkcs8Of(key));
    expect(made).toMatchObject({ observed: "enabled", algorithm });
    const { value: spki } = await (await restart()).publicKeys.publicKey(made.ref, call());
    expect(spki.equals(createPublicKey(key).export({ format: "der", type: "spki" }))).toBe(true);
  });

  it("answers the key that carries the marker already, and leaves the caller's bytes alone", async () => {
    const material = randomBytes(32);
    const copy = Buffer.from(material);
    const first = await imported("HMAC-SHA-256", material, "same");
    expect(material.equals(copy)).toBe(true);
    expect((await imported("HMAC-SHA-256", randomBytes(32), "same")).ref).toBe(first.ref);
    const message = Buffer.from("m");
    const { value } = await provider.mac.mac({ ref: first.ref, algorithm: "HMAC-SHA-256", message }, call());
    expect(value.equals(createHmac("sha256", copy).update(message).digest())).toBe(true);
  });

  it.each(["claviger-canary", "Upper", ""])("cannot carry the marker %j", async (marker) => {
    await expectUnsupported(provider, async () => await imported("AES-KWP", Buffer.alloc(32), marker));
  });

  it("of a raw AES key opens what was encrypted elsewhere", async () => {
    const ref = (await imported("AES-128-GCM", Buffer.alloc(16))).ref;
    // McGrew and Viega, The Galois/Counter Mode of Operation, test case 2, with its IV of zeros before it.
    const text = "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf";
    const ciphertext = Buffer.concat([Buffer.alloc(12), Buffer.from(text, "hex")]);
    const input = { ref, algorithm: "AES-128-GCM", ciphertext, context: NO_CONTEXT } as const;
    expect((await provider.cipher.decrypt(input, call())).value.equals(Buffer.alloc(16))).toBe(true);
  });
});

describe("an import refuses", () => {
  it.each([
    { algorithm: "AES-128-GCM", lengths: [0, 15, 17, 24, 32] },
    { algorithm: "AES-192-GCM", lengths: [16, 32] },
    { algorithm: "AES-256-GCM", lengths: [16, 31, 33] },
    { algorithm: "AES-256-OPAQUE", lengths: [16, 33] },
    { algorithm: "AES-KW", lengths: [0, 16, 24, 33] },
    { algorithm: "AES-KWP", lengths: [16, 31] },
    { algorithm: "HMAC-SHA-224", lengths: [0, 15, 1025] },
    { algorithm: "HMAC-SHA-512", lengths: [15, 1025] },
  ] as const)("$algorithm of other lengths", async ({ algorithm, lengths }) => {
    for (const length of lengths) await expectRefused(algorithm, Buffer.alloc(length, 7));
  });

  it("takes HMAC keys of 16 and of 1024 bytes", async () => {
    for (const length of [16, 1024]) {
      expect(await imported("HMAC-SHA-384", randomBytes(length))).toMatchObject({ observed: "enabled" });
    }
  });

  it.each(Object.entries(ASYMMETRIC))(
    "a key for %s with more behind it, cut, or in another form",
    async (name, make) => {
      const algorithm = name as AlgorithmName;
      const key = make();
      const der = pkcs8Of(key);
      await expectRefused(algorithm, Buffer.concat([der, Buffer.alloc(1)]));
      await expectRefused(algorithm, Buffer.concat([der, der]));
      await expectRefused(algorithm, der.subarray(0, -1));
      await expectRefused(algorithm, Buffer.alloc(0));
      await expectRefused(algorithm, Buffer.from(key.export({ format: "pem", type: "pkcs8" }) as string));
      const locked = { format: "der", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" } as const;
      await expectRefused(algorithm, key.export(locked));
    },
  );

  it("a key of another type, curve or modulus", async () => {
    const rsaPss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey;
    const pairs: readonly (readonly [AlgorithmName, KeyObject])[] = [
      ["EC-P256-SHA256", ec("P-384")],
      ["EC-P256-SHA256", ec("secp256k1")],
      ["ECDH-P256", generateKeyPairSync("x25519").privateKey],
      ["ED25519", generateKeyPairSync("x25519").privateKey],
      ["X25519", generateKeyPairSync("ed25519").privateKey],
      ["ML-KEM-768", generateKeyPairSync("ml-kem-512").privateKey],
      ["ML-DSA-44", generateKeyPairSync("ml-dsa-65").privateKey],
      ["SLH-DSA-SHA2-128s", generateKeyPairSync("ml-dsa-44").privateKey],
      ["RSA-3072-PSS-SHA256", rsaKey(2048)],
      ["RSA-2048-PSS-SHA256", rsaKey(3072)],
      ["RSA-2048-PSS-SHA256", rsaPss],
      ["RSA-2048-OAEP-SHA256", ec("P-256")],
    ];
    for (const [algorithm, key] of pairs) await expectRefused(algorithm, pkcs8Of(key));
  });

  it("RSA with a public exponent below 65537", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
    await expectRefused("RSA-2048-OAEP-SHA256", pkcs8Of(privateKey));
  });

  it("a curve given by its parameters", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
    await expectRefused("EC-P256-SHA256", pkcs8Of(privateKey));
  });

  it.each(["EC-P256-SHA256", "ECDH-P256"] as const)(
    "a key for %s whose public half is another's",
    async (algorithm) => {
      const [der, other] = [pkcs8Of(ec("P-256")), pkcs8Of(ec("P-256"))];
      const POINT_BYTES = 65; // the last of the value
      other.copy(der, der.length - POINT_BYTES, other.length - POINT_BYTES);
      await expectRefused(algorithm, der);
    },
  );

  it("a key for RSA whose public half is another's", async () => {
    const der = pkcs8Of(rsaKey(2048));
    const exponent = der.indexOf(Buffer.from("0203010001", "hex"));
    der.writeUInt8(0x03, exponent + 4); // 65539
    await expectRefused("RSA-2048-PKCS1-SHA256", der);
    await expectRefused("RSA-2048-OAEP-SHA256", der);
  });
});

describe("public keys", () => {
  it.each(["AES-256-OPAQUE", "AES-KW", "HMAC-SHA-256"] as const)("are not there for %s", async (algorithm) => {
    expect(hasPublicKey(algorithm)).toBe(false);
    const ref = await keyOf(algorithm);
    await expectUnsupported(provider, async () => await provider.publicKeys.publicKey(ref, call()));
  });

  it("go with the key", async () => {
    const { ref } = await imported("ED25519", pkcs8Of(generateKeyPairSync("ed25519").privateKey));
    await provider.keys.scheduleDestruction(ref, 1, call());
    expect((await provider.publicKeys.publicKey(ref, call())).value).toHaveLength(44);
  });
});
