import {
  constants,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  publicEncrypt,
  verify,
} from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { eventually } from "./eventually.ts";
import { Gateway } from "./live-gateway.ts";
import { outcome, Person, succeeded, toBase64 } from "./person.ts";
import { awsLine, configOf, HSM_LINE, PATIENT } from "./two-providers.ts";

const TEST_MS = 30_000;
let aws: AwsKmsFake;
let gateway: Gateway;
let admin: Person;
let names = 0;
beforeAll(async () => {
  aws = await openAwsKmsFake();
  const providers = [HSM_LINE, awsLine("aws", aws)];
  gateway = await Gateway.start({ config: configOf({ providers, resilience: PATIENT }) });
  admin = new Person(gateway);
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
}, 30_000);

const PROVIDERS = ["hsm", "aws"] as const;

/** A native key at a provider; gives its name. */
async function make(provider: string, body: object): Promise<string> {
  names += 1;
  const name = `native-${names}`;
  const key = await admin.make(name, { custody: { kind: "native", provider }, ...body });
  expect(key).toMatchObject({ custody: { kind: "native", provider }, state: "active" });
  return name;
}

async function run(key: string, operation: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> {
  return succeeded(await admin.post(`/v1/keys/${key}/${operation}`, body));
}

async function tries(key: string, operation: string, body: object = {}): Promise<string> {
  return outcome(await admin.post(`/v1/keys/${key}/${operation}`, body));
}

async function publicKeyOf(key: string): Promise<KeyObject> {
  return createPublicKey(String(succeeded(await admin.get(`/v1/keys/${key}/public-key`))["pem"]));
}

const fromBase64 = (text: unknown): Buffer => Buffer.from(String(text), "base64");

describe.each(PROVIDERS)("a native key at %s", (provider) => {
  it("encrypts, opens under its context alone, and its frame can be left", { timeout: TEST_MS }, async () => {
    const key = await make(provider, {});
    const context = { tenant: "acme" };
    const sealed = await run(key, "encrypt", { plaintext: toBase64("hello"), context });
    expect(sealed).toMatchObject({ provider, attempts: 1, keyVersion: 1 });
    const { ciphertext } = sealed;
    expect(await run(key, "decrypt", { ciphertext, context })).toMatchObject({
      plaintext: toBase64("hello"),
      stale: false,
      provider,
    });
    expect(succeeded(await admin.post("/v1/decrypt", { ciphertext, context }))["plaintext"]).toBe(toBase64("hello"));
    expect(await tries(key, "decrypt", { ciphertext })).toBe("400 CIPHERTEXT_INVALID");
    expect(await tries(key, "decrypt", { ciphertext, context: { tenant: "other" } })).toBe("400 CIPHERTEXT_INVALID");
    const bare = await run(key, "encrypt", { plaintext: toBase64("bare"), format: "native" });
    const opened = await run(key, "decrypt", { ciphertext: bare["ciphertext"], format: "native", upgrade: true });
    expect(opened).toMatchObject({ plaintext: toBase64("bare"), stale: false });
    expect(Object.keys(opened["upgraded"] as object).toSorted()).toEqual(["ciphertext", "keyVersion"]);
  });

  it("has what it made opened by old versions, and says that it is stale", { timeout: TEST_MS }, async () => {
    const key = await make(provider, {});
    const { ciphertext } = await run(key, "encrypt", { plaintext: toBase64("old") });
    const bare = await run(key, "encrypt", { plaintext: toBase64("old and bare"), format: "native" });
    expect(await run(key, "rotate")).toMatchObject({ primaryVersion: 2, latestVersion: 2 });
    expect(await run(key, "decrypt", { ciphertext })).toMatchObject({ stale: true, keyVersion: 1 });
    const again = await run(key, "decrypt", { ciphertext: bare["ciphertext"], format: "native" });
    expect(again).toMatchObject({ stale: true, keyVersion: 1, plaintext: toBase64("old and bare") });
    const moved = await run(key, "reencrypt", { ciphertext });
    expect(moved).toMatchObject({ changed: true, keyVersion: 2, sourceKeyVersion: 1 });
    expect(await run(key, "decrypt", { ciphertext: moved["ciphertext"] })).toMatchObject({ stale: false });
  });

  it.each([
    ["EC-P256-SHA256", "sha256", {}],
    ["EC-P384-SHA384", "sha384", {}],
    ["ED25519", null, {}],
    ["RSA-2048-PSS-SHA256", "sha256", { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
    ["RSA-2048-PKCS1-SHA512", "sha512", {}],
    ["ML-DSA-65", null, {}],
  ] as const)("signs as %s, and everybody can check it", { timeout: TEST_MS }, async (algorithm, digest, padding) => {
    const key = await make(provider, { purpose: "sign", algorithm });
    const message = Buffer.from("a contract");
    const { signature, kid } = await run(key, "sign", { message: message.toString("base64") });
    const outside = verify(digest, message, { key: await publicKeyOf(key), ...padding }, fromBase64(signature));
    expect(outside).toBe(true);
    const check = { message: message.toString("base64"), signature };
    expect(await run(key, "verify", check)).toMatchObject({ valid: true, provider: "gateway", attempts: 0 });
    expect(await run(key, "verify", { ...check, kid, verifyIn: "provider" })).toMatchObject({ valid: true, provider });
    expect(await run(key, "verify", { ...check, message: toBase64("another") })).toMatchObject({ valid: false });
    expect(await run(key, "verify", { ...check, signature: "AAAA" })).toMatchObject({ valid: false });
    expect(await run(key, "verify", { ...check, kid: "nobody" })).toMatchObject({ valid: false });
  });

  it("signs digests, and writes ECDSA in either form", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { purpose: "sign" });
    const message = Buffer.from("a contract");
    const digest = hash("sha256", message, "base64");
    const { signature } = await run(key, "sign", { digest, encoding: "raw" });
    expect(fromBase64(signature)).toHaveLength(64);
    const check = { signature, encoding: "raw" };
    expect(await run(key, "verify", { ...check, digest })).toMatchObject({ valid: true });
    expect(await run(key, "verify", { ...check, message: message.toString("base64") })).toMatchObject({ valid: true });
    expect(await run(key, "verify", { signature, digest })).toMatchObject({ valid: false });
    expect(await tries(key, "sign", { digest: "AAAA" })).toBe("400 INVALID_ARGUMENT");
    expect(await tries(key, "sign", { digest, message: "AAAA" })).toBe("400 INVALID_ARGUMENT");
    expect(await tries(key, "sign", {})).toBe("400 INVALID_ARGUMENT");
  });

  it("signs a message that is longer than what its provider takes", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { purpose: "sign" });
    const message = Buffer.alloc(100_000, 7);
    const { signature } = await run(key, "sign", { message: message.toString("base64") });
    expect(verify("sha256", message, await publicKeyOf(key), fromBase64(signature))).toBe(true);
  });

  it("makes MACs, and no other fits", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { purpose: "mac", algorithm: "HMAC-SHA-384" });
    const message = toBase64("a message");
    const { mac } = await run(key, "mac", { message });
    expect(fromBase64(mac)).toHaveLength(48);
    expect(await run(key, "verify-mac", { message, mac })).toMatchObject({ valid: true, keyState: "active", provider });
    expect(await run(key, "verify-mac", { message: toBase64("another"), mac })).toMatchObject({ valid: false });
  });

  it("opens what was encrypted outside to its RSA key", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { algorithm: "RSA-2048-OAEP-SHA256" });
    const outside = publicEncrypt(
      { key: await publicKeyOf(key), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      Buffer.from("from outside"),
    ).toString("base64");
    const opened = await run(key, "decrypt", { ciphertext: outside, format: "native" });
    expect(opened["plaintext"]).toBe(toBase64("from outside"));
    expect(await tries(key, "encrypt", { plaintext: "AAAA" })).toBe("422 UNSUPPORTED_COMBINATION");
    expect(await tries(key, "encrypt", { plaintext: "AAAA", format: "native", context: { a: "b" } })).toBe(
      "422 UNSUPPORTED_COMBINATION",
    );
    const tooLong = Buffer.alloc(191).toString("base64");
    expect(await tries(key, "encrypt", { plaintext: tooLong, format: "native" })).toBe("400 PLAINTEXT_TOO_LARGE");
    expect(succeeded(await admin.get(`/v1/keys/${key}`))["maxPlaintextBytes"]).toBe(190);
  });

  it("agrees on a secret with a peer on its curve, and with nobody else", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { purpose: "agree" });
    const peer = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = (pair: { publicKey: KeyObject }): string =>
      pair.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    const { sharedSecret } = await run(key, "agree", { peerPublicKey: spki(peer) });
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey: await publicKeyOf(key) });
    expect(sharedSecret).toBe(expected.toString("base64"));
    for (const bad of [
      spki(generateKeyPairSync("ec", { namedCurve: "P-384" })),
      spki(generateKeyPairSync("x25519")),
      peer.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
      "AAAA",
    ])
      expect(await tries(key, "agree", { peerPublicKey: bad })).toBe("400 INVALID_ARGUMENT");
  });

  it("encapsulates and decapsulates, with outsiders too", { timeout: TEST_MS }, async () => {
    const key = await make(provider, { purpose: "kem" });
    const { ciphertext, sharedSecret } = await run(key, "encapsulate");
    expect(await run(key, "decapsulate", { ciphertext })).toMatchObject({ sharedSecret });
    const outside = encapsulate(await publicKeyOf(key));
    const opened = await run(key, "decapsulate", { ciphertext: Buffer.from(outside.ciphertext).toString("base64") });
    expect(opened["sharedSecret"]).toBe(Buffer.from(outside.sharedKey).toString("base64"));
    expect(await tries(key, "decapsulate", { ciphertext: "AAAA" })).toBe("400 CIPHERTEXT_INVALID");
  });

  it(
    "is held over there too when it is suspended, and is usable again when resumed",
    { timeout: TEST_MS },
    async () => {
      const key = await make(provider, {});
      const observed = async (): Promise<unknown> => {
        const { items } = succeeded(await admin.get(`/v1/keys/${key}/versions`)) as {
          items: readonly { bindings: readonly { observed: string; confirmed: string }[] }[];
        };
        return items[0]?.bindings[0]?.observed;
      };
      await run(key, "suspend", { reason: "hold" });
      expect(await tries(key, "encrypt", { plaintext: "AAAA" })).toBe("409 KEY_NOT_ACTIVE");
      await eventually("disabled over there", 10_000, async () =>
        (await observed()) === "disabled" ? true : undefined,
      );
      await run(key, "resume", { reason: "false alarm" });
      await eventually("enabled over there", 10_000, async () => ((await observed()) === "enabled" ? true : undefined));
      expect(await tries(key, "encrypt", { plaintext: "AAAA" })).toBe("200");
    },
  );
});

describe("a native key", () => {
  it("that no provider can make is refused before anything is made, and it is said who could", async () => {
    const answer = await admin.post("/v1/keys", {
      name: "impossible",
      purpose: "sign",
      algorithm: "SLH-DSA-SHA2-128s",
      custody: { kind: "native", provider: "aws" },
    });
    expect(outcome(answer)).toBe("422 UNSUPPORTED_COMBINATION");
    expect(answer.json["detail"]).toContain("aws: it does not offer sign with SLH-DSA-SHA2-128s");
    expect(answer.json["help"]).toContain("hsm");
    expect(outcome(await admin.get("/v1/keys/impossible"))).toBe("404 KEY_NOT_FOUND");
  });

  it(
    "made twice with one Idempotency-Key is made once, whatever the first answer said",
    { timeout: TEST_MS },
    async () => {
      const body = { name: "once", custody: { kind: "native", provider: "aws" } };
      const headers = { "idempotency-key": "once-and-only-once" };
      aws.faults.add({ kind: "lost-answer", operation: "CreateAlias" });
      const before = aws.calls.count("CreateKey");
      expect(outcome(await admin.post("/v1/keys", body, headers))).toBe("503 UNKNOWN_OUTCOME");
      expect(outcome(await admin.get("/v1/keys/once"))).toBe("404 KEY_NOT_FOUND");
      expect(outcome(await admin.post("/v1/keys", body, headers))).toBe("201");
      expect(outcome(await admin.post("/v1/keys", body, headers))).toBe("201");
      expect(aws.calls.count("CreateKey") - before).toBe(1);
    },
  );

  it("takes a batch, in which a bad item fails alone", { timeout: TEST_MS }, async () => {
    const key = await make("aws", {});
    const items = Array.from({ length: 100 }, (_, n) => ({ plaintext: toBase64(`item ${n}`) }));
    const sealed = succeeded(await admin.post(`/v1/keys/${key}/encrypt`, { items })) as {
      readonly items: readonly { readonly ciphertext: string }[];
    };
    const texts = sealed.items.map(({ ciphertext }) => ({ ciphertext }));
    texts[3] = { ciphertext: "clv1.AAAA" };
    const opened = succeeded(await admin.post(`/v1/keys/${key}/decrypt`, { items: texts })) as {
      readonly failed: number;
      readonly items: readonly { readonly plaintext?: string; readonly error?: { readonly code: string } }[];
    };
    expect(opened.failed).toBe(1);
    expect(opened.items[3]?.error?.code).toBe("CIPHERTEXT_INVALID");
    const others = opened.items.flatMap(({ plaintext }) => plaintext ?? []);
    expect(others).toEqual(items.filter((_, n) => n !== 3).map(({ plaintext }) => plaintext));
  });

  it("goes away with its provider, says so, and comes back with it", { timeout: TEST_MS }, async () => {
    const key = await make("aws", {});
    const { ciphertext } = await run(key, "encrypt", { plaintext: toBase64("x") });
    await aws.stop();
    expect(await tries(key, "decrypt", { ciphertext })).toBe("503 NO_PROVIDER");
    await aws.start();
    expect(await run(key, "decrypt", { ciphertext })).toMatchObject({ plaintext: toBase64("x") });
  });

  it("is destroyed over there after its window, which can be cancelled", { timeout: TEST_MS }, async () => {
    const key = await make("aws", {});
    expect(await tries(key, "destroy", { confirmName: key })).toBe("409 ILLEGAL_TRANSITION");
    await run(key, "deactivate", { reason: "superseded" });
    expect(await tries(key, "destroy", { confirmName: "another" })).toBe("400 INVALID_ARGUMENT");
    expect(await run(key, "destroy", { confirmName: key, windowDays: 10 })).toMatchObject({
      state: "deactivated",
      stateReason: "destroy-pending",
    });
    await eventually("a deletion", 10_000, () => (aws.calls.count("ScheduleKeyDeletion") === 1 ? true : undefined));
    expect(await run(key, "cancel-destroy")).toMatchObject({ stateReason: "superseded", destroyTime: null });
    await eventually("its cancellation", 10_000, () => (aws.calls.count("CancelKeyDeletion") === 1 ? true : undefined));
  });

  it("has a key set that tells the versions whose signatures may be trusted", { timeout: TEST_MS }, async () => {
    const key = await make("hsm", { purpose: "sign" });
    await run(key, "rotate");
    const kids = async (query = ""): Promise<number> =>
      (succeeded(await admin.get(`/v1/keys/${key}/jwks.json${query}`))["keys"] as readonly unknown[]).length;
    expect(await kids()).toBe(2);
    await run(`${key}/versions/1`, "deactivate", { reason: "revoked" });
    expect(await kids()).toBe(1);
    expect(await kids("?include=all")).toBe(2);
    expect(succeeded(await admin.get(`/v1/keys/${key}/jwks.json`))["keys"]).toMatchObject([
      { kty: "EC", crv: "P-256", alg: "ES256", use: "sig" },
    ]);
  });
});

describe("a portable key", () => {
  it(
    "makes MACs that every version checks, and wraps what it opens again, with no provider",
    { timeout: TEST_MS },
    async () => {
      const mac = await admin.make("portable-mac", { purpose: "mac", algorithm: "HMAC-SHA-512" });
      expect(mac).toMatchObject({ custody: { kind: "portable" } });
      const message = toBase64("a message");
      const made = await run("portable-mac", "mac", { message });
      expect(made).toMatchObject({ provider: "gateway" });
      await run("portable-mac", "rotate");
      const check = { message, mac: made["mac"] };
      expect(await run("portable-mac", "verify-mac", check)).toMatchObject({ valid: true, keyVersion: 1 });
      expect(await run("portable-mac@2", "verify-mac", check)).toMatchObject({ valid: false, keyVersion: 2 });
      await admin.make("portable-wrap", { purpose: "wrap" });
      const material = Buffer.alloc(32, 9).toString("base64");
      const { wrapped } = await run("portable-wrap", "wrap", { material });
      expect(String(wrapped)).toMatch(/^clv1\./u);
      const bare = await run("portable-wrap", "wrap", { material, format: "native" });
      expect(fromBase64(bare["wrapped"])).toHaveLength(40);
      await run("portable-wrap", "rotate");
      expect(await run("portable-wrap", "unwrap", { wrapped })).toMatchObject({ material, keyVersion: 1 });
      const bareBody = { wrapped: bare["wrapped"], format: "native" };
      expect(await tries("portable-wrap", "unwrap", bareBody)).toBe("400 INVALID_ARGUMENT");
      expect(await run("portable-wrap@1", "unwrap", bareBody)).toMatchObject({ material });
      expect(await tries("portable-wrap@2", "unwrap", bareBody)).toBe("400 CIPHERTEXT_INVALID");
      expect(await tries("portable-wrap", "encrypt", { plaintext: "AAAA" })).toBe("422 PURPOSE_MISMATCH");
    },
  );
});
