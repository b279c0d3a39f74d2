import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { type JsonWebKey, type KeyOperation } from "@azure/keyvault-keys";
import { describe, expect, it } from "vitest";
import { failureOf, openSubject } from "./subject.ts";

const TEXT = Buffer.from("sixteen bytes...");
const managed = { kind: "managed-hsm" } as const;

describe("a Managed HSM", () => {
  it("encrypts by AES-GCM under a nonce of its own and binds the additional data", async () => {
    await using subject = await openSubject(managed);
    const { id } = await subject.keys.createOctKey("a", { keySize: 256, hsm: true });
    const client = subject.remote(id);
    const additionalAuthenticatedData = Buffer.from("bound");
    const sealed = await client.encrypt({ algorithm: "A256GCM", plaintext: TEXT, additionalAuthenticatedData });
    const whole = {
      algorithm: "A256GCM" as const,
      ciphertext: sealed.result,
      iv: sealed.iv ?? new Uint8Array(),
      authenticationTag: sealed.authenticationTag ?? new Uint8Array(),
    };
    const opened = await client.decrypt({ ...whole, additionalAuthenticatedData });
    expect(Buffer.from(opened.result)).toEqual(TEXT);
    expect(await failureOf(client.decrypt(whole))).toEqual([400, "BadParameter", undefined]);
  });

  it.each([
    [128, "A128KW"],
    [192, "A192KW"],
    [256, "A256KW"],
    [256, "CKM_AES_KEY_WRAP"],
    [256, "CKM_AES_KEY_WRAP_PAD"],
  ] as const)("wraps under %i bits by %s", async (keySize, alg) => {
    await using subject = await openSubject(managed);
    const client = subject.remote((await subject.keys.createOctKey("a", { keySize, hsm: true })).id);
    const { result } = await client.wrapKey(alg, TEXT);
    expect(Buffer.from((await client.unwrapKey(alg as "A128KW", result)).result)).toEqual(TEXT);
    result[0] = (result[0] ?? 0) ^ 1;
    expect((await failureOf(client.unwrapKey(alg as "A128KW", result)))[0]).toBe(400);
  });

  it("takes material by a transfer blob, and makes MACs with it", async () => {
    await using subject = await openSubject(managed);
    const { keys } = subject;
    const keyOps = ["import" as KeyOperation];
    const exchange = await keys.createRsaKey("kek", { hsm: true, keyOps });
    const material = randomBytes(32);
    const jwk = { kty: "RSA", n: text(exchange.key?.n), e: text(exchange.key?.e) };
    const kek = createPublicKey({ key: jwk, format: "jwk" });
    const t = blobOf(exchange.id ?? "", transfer(kek, material));
    const key = await keys.importKey("a", { kty: "oct", t }, { hardwareProtected: true });
    expect(key.keyType).toBe("oct-HSM");
    const { result } = await subject.remote(key.id).sign("HS256", TEXT);
    expect(Buffer.from(result)).toEqual(createHmac("sha256", material).update(TEXT).digest());
    const wrong = blobOf(exchange.id ?? "", randomBytes(296));
    expect((await failureOf(keys.importKey("b", { kty: "oct", t: wrong })))[0]).toBe(400);
  });

  it("gives random bytes, which a vault does not", async () => {
    await using hsm = await openSubject(managed);
    await using vault = await openSubject();
    expect(await hsm.keys.getRandomBytes(32)).toHaveLength(32);
    expect((await failureOf(vault.keys.getRandomBytes(32)))[0]).toBe(400);
  });
});

describe("a vault", () => {
  it("takes an RSA key as a JWK in the clear", async () => {
    await using subject = await openSubject();
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const parts = Object.entries(privateKey.export({ format: "jwk" })).map(([name, value]) => [
      name,
      name === "kty" ? value : Buffer.from(String(value), "base64url"),
    ]);
    const key = await subject.keys.importKey("a", Object.fromEntries(parts) as JsonWebKey);
    const sealed = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, TEXT);
    const opened = await subject.remote(key.id).decrypt("RSA-OAEP", sealed);
    expect(Buffer.from(opened.result)).toEqual(TEXT);
  });
});

const text = (bytes: Uint8Array = new Uint8Array()): string => Buffer.from(bytes).toString("base64url");

const transfer = (kek: ReturnType<typeof createPublicKey>, material: Buffer): Buffer => {
  const ephemeral = randomBytes(32);
  const head = publicEncrypt({ key: kek, oaepHash: "sha1", padding: constants.RSA_PKCS1_OAEP_PADDING }, ephemeral);
  const wrap = createCipheriv("id-aes256-wrap-pad", ephemeral, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([head, wrap.update(material), wrap.final()]);
};

const blobOf = (kid: string, ciphertext: Buffer): Buffer =>
  Buffer.from(
    JSON.stringify({
      schema_version: "1.0.0",
      header: { kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
      ciphertext: text(ciphertext),
      generator: "test",
    }),
  );
