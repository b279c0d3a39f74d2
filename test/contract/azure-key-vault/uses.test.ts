import { createHash, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { KnownKeyOperations, type KeyVaultKey } from "@azure/keyvault-keys";
import { describe, expect, it } from "vitest";
import { failureOf, openSubject } from "./subject.ts";

const TEXT = Buffer.from("something to sign");

const publicKeyOf = ({ key }: KeyVaultKey) => {
  const text = (bytes?: Uint8Array): string => Buffer.from(bytes ?? []).toString("base64url");
  const { kty = "", crv, n, e, x, y } = key ?? {};
  const named = crv === "P-256K" ? "secp256k1" : crv;
  const jwk = kty.startsWith("EC")
    ? { kty: "EC", crv: named, x: text(x), y: text(y) }
    : { kty: "RSA", n: text(n), e: text(e) };
  return createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
};

describe("uses of a key", () => {
  it.each([
    ["ES256", "P-256", "sha256"],
    ["ES384", "P-384", "sha384"],
    ["ES512", "P-521", "sha512"],
    ["ES256K", "P-256K", "sha256"],
  ])("%s signs a digest as r and s, which node:crypto verifies", async (alg, curve, hash) => {
    await using subject = await openSubject();
    const key = await subject.keys.createEcKey("a", { curve });
    const digest = createHash(hash).update(TEXT).digest();
    const { result } = await subject.remote(key.id).sign(alg, digest);
    expect(verify(hash, TEXT, { key: publicKeyOf(key), dsaEncoding: "ieee-p1363" }, result)).toBe(true);
    expect((await subject.remote(key.id).verify(alg, digest, result)).result).toBe(true);
    result[result.length - 1] = (result.at(-1) ?? 0) ^ 1;
    expect((await subject.remote(key.id).verify(alg, digest, result)).result).toBe(false);
    expect((await failureOf(subject.remote(key.id).sign(alg, digest.subarray(1))))[0]).toBe(400);
  });

  it("PS and RS sign digests of three lengths, RSA-OAEP wraps", async () => {
    await using subject = await openSubject();
    const key = await subject.keys.createRsaKey("a");
    const client = subject.remote(key.id);
    for (const size of [256, 384, 512]) {
      const digest = createHash(`sha${size}`).update(TEXT).digest();
      const pss = (await client.sign(`PS${size}`, digest)).result;
      const options = { key: publicKeyOf(key), padding: 6, saltLength: size / 8 };
      expect(verify(`sha${size}`, TEXT, options, pss)).toBe(true);
      const pkcs1 = (await client.sign(`RS${size}`, digest)).result;
      expect(verify(`sha${size}`, TEXT, publicKeyOf(key), pkcs1)).toBe(true);
    }
    for (const alg of ["RSA-OAEP", "RSA-OAEP-256"] as const) {
      const wrapped = await client.wrapKey(alg, TEXT);
      expect(Buffer.from((await client.unwrapKey(alg, wrapped.result)).result)).toEqual(TEXT);
      wrapped.result[9] = (wrapped.result[9] ?? 0) ^ 1;
      expect(await failureOf(client.unwrapKey(alg, wrapped.result))).toEqual([400, "BadParameter", undefined]);
    }
  });

  it("end with the dates, apart from decryption and verification, and altogether when disabled", async () => {
    await using subject = await openSubject();
    const { keys, fake } = subject;
    const expiresOn = new Date(Date.now() + 60_000);
    const key = await keys.createRsaKey("a", { expiresOn });
    const client = subject.remote(key.id);
    const { result } = await client.encrypt("RSA-OAEP-256", TEXT);
    fake.advance(61_000);
    expect(await failureOf(client.encrypt("RSA-OAEP-256", TEXT))).toEqual([403, "Forbidden", "KeyExpired"]);
    expect(Buffer.from((await client.decrypt("RSA-OAEP-256", result)).result)).toEqual(TEXT);
    await keys.updateKeyProperties("a", { enabled: false });
    expect(await failureOf(client.decrypt("RSA-OAEP-256", result))).toEqual([403, "Forbidden", "KeyDisabled"]);
    const later = await keys.createRsaKey("b", { notBefore: new Date(Date.now() + 3_600_000) });
    const early = subject.remote(later.id).encrypt("RSA-OAEP-256", TEXT);
    expect(await failureOf(early)).toEqual([403, "Forbidden", "KeyNotYetValid"]);
  });

  it("are those of key_ops", async () => {
    await using subject = await openSubject();
    const key = await subject.keys.createRsaKey("a", { keyOps: [KnownKeyOperations.Encrypt] });
    const wrap = subject.remote(key.id).wrapKey("RSA-OAEP-256", TEXT);
    expect(await failureOf(wrap)).toEqual([403, "Forbidden", "KeyOperationForbidden"]);
  });
});

describe("the CryptographyClient of the SDK", () => {
  it("encrypts, wraps and verifies RSA by itself once it holds the public key", async () => {
    await using subject = await openSubject();
    const key = await subject.keys.createRsaKey("a");
    const client = subject.holding(key);
    const sealed = await client.encrypt("RSA-OAEP", TEXT);
    await client.wrapKey("RSA-OAEP", TEXT);
    const digest = createHash("sha256").update(TEXT).digest();
    const { result } = await client.sign("RS256", digest);
    await client.verifyData("RS256", TEXT, result);
    const { calls } = subject.fake;
    expect(["Encrypt", "WrapKey", "Verify", "Sign"].map((name) => calls.count(name))).toEqual([0, 0, 0, 1]);
    await client.decrypt("RSA-OAEP", sealed.result);
    expect(calls.count("Decrypt")).toBe(1);
  });

  it("asks for the key before its first use of an identifier", async () => {
    await using subject = await openSubject();
    const { id = "" } = await subject.keys.createRsaKey("a");
    await subject.holding(id).encrypt("RSA-OAEP", TEXT);
    expect([subject.fake.calls.count("GetKey"), subject.fake.calls.count("Encrypt")]).toEqual([1, 0]);
  });

  it("does nothing by itself without material, nor ever with an EC key", async () => {
    await using subject = await openSubject();
    const { id } = await subject.keys.createRsaKey("a");
    await subject.remote(id).encrypt("RSA-OAEP", TEXT);
    await subject.remote(id).wrapKey("RSA-OAEP-256", TEXT);
    expect([subject.fake.calls.count("Encrypt"), subject.fake.calls.count("WrapKey")]).toEqual([1, 1]);
    const client = subject.holding(await subject.keys.createEcKey("b"));
    const { result } = await client.signData("ES256", TEXT);
    await client.verifyData("ES256", TEXT, result);
    expect(subject.fake.calls.count("Verify")).toBe(1);
  });
});
