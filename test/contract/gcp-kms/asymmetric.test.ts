import {
  constants,
  createHash,
  createPublicKey,
  encapsulate,
  type KeyObject,
  publicEncrypt,
  verify,
  type VerifyKeyObjectInput,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  bytes,
  createKey,
  expectFailure,
  expectSum,
  flip,
  once,
  openSubject,
  present,
  sum,
  SYMMETRIC,
} from "./subject.ts";

const { kms } = await openSubject();
const message = Buffer.from("attack at dawn");

const publicKeyOf = async (name: string): Promise<KeyObject> => {
  const [answer] = await kms.getPublicKey({ name }, once);
  expect(answer.name).toBe(name);
  expectSum(Buffer.from(present(answer.pem)), answer.pemCrc32c);
  return createPublicKey(present(answer.pem));
};

/** A post-quantum public key from its bytes alone, under the OIDs of RFC 9881, 9814 and 9935. */
const fromRaw = (raw: Buffer, lastArc: number, arc: 3 | 4): KeyObject => {
  const algorithm = Buffer.from([0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, arc, lastArc]);
  const bits = der(0x03, Buffer.concat([Buffer.alloc(1), raw]));
  return createPublicKey({ key: der(0x30, Buffer.concat([algorithm, bits])), format: "der", type: "spki" });
};

const der = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};

describe("AsymmetricSign of Cloud KMS over a digest", () => {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const rows: readonly [
    Parameters<typeof createKey>[1][1],
    "sha256" | "sha384" | "sha512",
    Partial<VerifyKeyObjectInput>,
  ][] = [
    ["RSA_SIGN_PSS_2048_SHA256", "sha256", pss],
    ["RSA_SIGN_PSS_4096_SHA512", "sha512", pss],
    ["RSA_SIGN_PKCS1_2048_SHA256", "sha256", {}],
    ["EC_SIGN_P256_SHA256", "sha256", {}],
    ["EC_SIGN_P384_SHA384", "sha384", {}],
    ["EC_SIGN_SECP256K1_SHA256", "sha256", {}],
  ];
  it.for(rows)("%s verifies under the public key", async ([algorithm, hash, options]) => {
    const protectionLevel = algorithm === "EC_SIGN_SECP256K1_SHA256" ? ("HSM" as const) : ("SOFTWARE" as const);
    const versionTemplate = { algorithm, protectionLevel };
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", algorithm], { versionTemplate });
    const digest = createHash(hash).update(message).digest();
    const [answer] = await kms.asymmetricSign({ name, digest: { [hash]: digest }, digestCrc32c: sum(digest) }, once);
    expect(answer).toMatchObject({ name, verifiedDigestCrc32c: true, verifiedDataCrc32c: false, protectionLevel });
    expectSum(answer.signature, answer.signatureCrc32c);
    const key = await publicKeyOf(name);
    expect(verify(hash, message, { key, ...options }, bytes(answer.signature))).toBe(true);
  });

  it("refuses data, another digest, one of a wrong length, and a wrong checksum", async () => {
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256"]);
    const sha256 = createHash("sha256").update(message).digest();
    await expectFailure(kms.asymmetricSign({ name, data: message }, once), 3);
    await expectFailure(kms.asymmetricSign({ name, digest: { sha384: Buffer.alloc(48) } }, once), 3);
    await expectFailure(kms.asymmetricSign({ name, digest: { sha256: Buffer.alloc(31) } }, once), 3);
    await expectFailure(
      kms.asymmetricSign({ name, digest: { sha256 }, digestCrc32c: sum(message) }, once),
      3,
      "The checksum in field digest_crc32c did not match the data in field digest.",
    );
  });
});

describe("AsymmetricSign of Cloud KMS over data", () => {
  it("Ed25519 verifies under the public key, and takes no digest", async () => {
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_ED25519"]);
    const [answer] = await kms.asymmetricSign({ name, data: message, dataCrc32c: sum(message) }, once);
    expect(answer).toMatchObject({ name, verifiedDataCrc32c: true, verifiedDigestCrc32c: false });
    expect(verify(null, message, await publicKeyOf(name), bytes(answer.signature))).toBe(true);
    await expectFailure(kms.asymmetricSign({ name, digest: { sha256: Buffer.alloc(32) } }, once), 3);
  });

  it.for([
    ["PQ_SIGN_ML_DSA_44", 1312, 17],
    ["PQ_SIGN_ML_DSA_65", 1952, 18],
    ["PQ_SIGN_ML_DSA_87", 2592, 19],
    ["PQ_SIGN_SLH_DSA_SHA2_128S", 32, 20],
  ] as const)("%s verifies under a public key of %i bytes", async ([algorithm, length, arc]) => {
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", algorithm]);
    const [signed] = await kms.asymmetricSign({ name, data: message }, once);
    await expectFailure(kms.getPublicKey({ name }, once), 3);
    const [answer] = await kms.getPublicKey({ name, publicKeyFormat: "NIST_PQC" }, once);
    const raw = bytes(answer.publicKey?.data);
    expectSum(raw, answer.publicKey?.crc32cChecksum);
    expect(answer).toMatchObject({ name, algorithm, publicKeyFormat: "NIST_PQC", pem: "" });
    expect(raw).toHaveLength(length);
    expect(verify(null, message, fromRaw(raw, arc, 3), bytes(signed.signature))).toBe(true);
  });
});

describe("private keys of Cloud KMS", () => {
  it.for(["SHA1", "SHA256"] as const)("AsymmetricDecrypt opens RSAES-OAEP with %s", async (hash) => {
    const algorithm = `RSA_DECRYPT_OAEP_2048_${hash}` as const;
    const { version: name } = await createKey(kms, ["ASYMMETRIC_DECRYPT", algorithm]);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ciphertext = publicEncrypt({ key: await publicKeyOf(name), padding, oaepHash: hash.toLowerCase() }, message);
    const [answer] = await kms.asymmetricDecrypt({ name, ciphertext, ciphertextCrc32c: sum(ciphertext) }, once);
    expect(bytes(answer.plaintext)).toStrictEqual(message);
    expectSum(answer.plaintext, answer.plaintextCrc32c);
    expect(answer).toMatchObject({ verifiedCiphertextCrc32c: true, protectionLevel: "SOFTWARE" });
    await expectFailure(
      kms.asymmetricDecrypt({ name, ciphertext: flip(ciphertext, 9) }, once),
      3,
      "Decryption failed.",
    );
  });

  it.for([
    ["ML_KEM_768", 1184, 2],
    ["ML_KEM_1024", 1568, 3],
  ] as const)("Decapsulate opens %s", async ([algorithm, length, arc]) => {
    const { version: name } = await createKey(kms, ["KEY_ENCAPSULATION", algorithm]);
    const [answer] = await kms.getPublicKey({ name, publicKeyFormat: "NIST_PQC" }, once);
    const raw = bytes(answer.publicKey?.data);
    expect(raw).toHaveLength(length);
    const { ciphertext, sharedKey } = encapsulate(fromRaw(raw, arc, 4));
    const [opened] = await kms.decapsulate({ name, ciphertext, ciphertextCrc32c: sum(ciphertext) }, once);
    expect(bytes(opened.sharedSecret)).toStrictEqual(sharedKey);
    expectSum(opened.sharedSecret, opened.sharedSecretCrc32c);
    expect(opened).toMatchObject({ name, verifiedCiphertextCrc32c: true });
    await expectFailure(kms.decapsulate({ name, ciphertext: message }, once), 3);
  });

  it("a public key comes in DER and PEM where asked, and none of a symmetric key", async () => {
    const { version: name } = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256"]);
    const key = await publicKeyOf(name);
    const [answer] = await kms.getPublicKey({ name, publicKeyFormat: "DER" }, once);
    expect(bytes(answer.publicKey?.data)).toStrictEqual(key.export({ type: "spki", format: "der" }));
    await expectFailure(kms.getPublicKey({ name, publicKeyFormat: "NIST_PQC" }, once), 3);
    await expectFailure(kms.getPublicKey({ name: (await createKey(kms, SYMMETRIC)).version }, once), 9);
  });
});
