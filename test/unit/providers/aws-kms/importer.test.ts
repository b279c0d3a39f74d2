import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import * as sdk from "@aws-sdk/client-kms";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Scheduler } from "#core/clock.ts";
import { NO_CONTEXT } from "#core/context.ts";
import { type AwsKmsFake, openAwsKmsFake } from "../../../fakes/aws-kms/fake.ts";
import { algorithmsWith } from "./algorithms.ts";
import { type Adapter, call, faultOfRejected, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const pkcs8 = (key: KeyObject): Buffer => key.export({ type: "pkcs8", format: "der" });
const rsa = (modulusLength: number) => pkcs8(generateKeyPairSync("rsa", { modulusLength }).privateKey);
const ec = (namedCurve: string) => pkcs8(generateKeyPairSync("ec", { namedCurve }).privateKey);
const RSA_2048 = rsa(2048);
const P256 = ec("prime256v1");

const SECRET_BYTES: Readonly<Record<string, number>> = {
  "AES-256-OPAQUE": 32,
  "HMAC-SHA-224": 28,
  "HMAC-SHA-256": 32,
  "HMAC-SHA-384": 48,
  "HMAC-SHA-512": 64,
};

/** A new key of an algorithm, as it is imported. */
function materialFor(algorithm: AlgorithmName): Buffer {
  const secret = SECRET_BYTES[algorithm];
  if (secret !== undefined) return randomBytes(secret);
  if (algorithm.startsWith("RSA-")) return RSA_2048;
  if (algorithm === "ED25519") return pkcs8(generateKeyPairSync("ed25519").privateKey);
  const curve = /P256|P384|P521|SECP256K1/u.exec(algorithm)?.[0] ?? "";
  return ec({ P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" }[curve] ?? "secp256k1");
}

/** Keys of RSA-3072 and -4096 take long to make, and differ by their row alone. */
const TRIED = algorithmsWith("import").filter((name) => !/^RSA-[34]/u.test(name));

/** One fake for the tests that bring material: each has an RSA key of 4096 bits, which takes seconds to make. */
const shared = openAwsKmsFake();
afterAll(async () => {
  await (await shared)[Symbol.asyncDispose]();
});
let count = 0;

async function openShared(scheduler?: Scheduler): Promise<{ fake: AwsKmsFake; provider: Adapter; marker: string }> {
  const fake = await shared;
  fake.calls.clear();
  fake.faults.clear();
  return { fake, provider: await openProvider({ endpoint: fake.endpoint }, scheduler), marker: `import-${count++}` };
}

const hasty: Scheduler = {
  after: (_, run) => {
    queueMicrotask(run);
    return { [Symbol.dispose]: () => undefined };
  },
};

describe("importKey", () => {
  it.for(TRIED)("%s: the key that comes is the one that was brought", async (algorithm) => {
    const { fake, provider, marker } = await openShared();
    const material = materialFor(algorithm);
    const before = Buffer.from(material);
    const made = await provider.importer.importKey({ algorithm, marker, description: "theirs", material }, call());
    expect(made).toMatchObject({ observed: "enabled", nativeState: "Enabled", algorithm, marker });
    expect(made.requestId).toBe(fake.calls.of("ImportKeyMaterial")[0]?.requestId);
    expect(material).toEqual(before);
    expect(fake.calls.of("CreateKey")[0]?.input).toMatchObject({ Origin: "EXTERNAL", Description: "theirs" });
    const secret = algorithm in SECRET_BYTES;
    expect(fake.calls.of("GetParametersForImport")[0]?.input).toEqual({
      KeyId: made.ref,
      WrappingAlgorithm: secret ? "RSAES_OAEP_SHA_256" : "RSA_AES_KEY_WRAP_SHA_256",
      WrappingKeySpec: "RSA_4096",
    });
    expect(fake.calls.of("ImportKeyMaterial")[0]?.input).toMatchObject({
      KeyId: made.ref,
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
    if (!secret) {
      const { value: spki } = await provider.publicKeys.publicKey(made.ref, call());
      const ours = createPublicKey(createPrivateKey({ key: material, format: "der", type: "pkcs8" }));
      expect(spki).toEqual(ours.export({ type: "spki", format: "der" }));
    } else if (algorithm === "AES-256-OPAQUE") {
      const input = { ref: made.ref, algorithm, plaintext: Buffer.from("x"), context: NO_CONTEXT };
      await provider.cipher.encrypt(input, call());
    } else {
      const message = Buffer.from("pay 100 to Alice");
      const { value: mac } = await provider.mac.mac({ ref: made.ref, algorithm, message }, call());
      const hash = `sha${algorithm.slice("HMAC-SHA-".length)}`;
      expect(mac).toEqual(createHmac(hash, material).update(message).digest());
    }
  });

  it("answers the key that carries the marker already, and brings nothing to it", async () => {
    const { fake, provider, marker } = await openShared();
    const spec = { algorithm: "HMAC-SHA-256", marker, description: "", material: randomBytes(32) } as const;
    const first = await provider.importer.importKey(spec, call());
    const second = await provider.importer.importKey({ ...spec, material: randomBytes(32) }, call());
    expect(second).toEqual({ ...first, requestId: expect.any(String) });
    expect(fake.calls.count("ImportKeyMaterial")).toBe(1);
  });

  it("answers a key that was made and not imported, if that is what the marker names", async () => {
    const { fake, provider, marker } = await openShared();
    const spec = { algorithm: "HMAC-SHA-256", marker, description: "" } as const;
    const { ref } = await provider.keys.create(spec, call());
    const there = await provider.importer.importKey({ ...spec, material: randomBytes(32) }, call());
    expect(there).toMatchObject({ ref, observed: "enabled" });
    expect(fake.calls.count("GetParametersForImport")).toBe(0);
  });

  it("makes one key of many that import at once", async () => {
    const { provider, marker } = await openShared();
    const spec = { algorithm: "AES-256-OPAQUE", marker, description: "", material: randomBytes(32) } as const;
    const made = await Promise.all([1, 2, 3].map(async () => await provider.importer.importKey(spec, call())));
    expect(new Set(made.map(({ ref }) => ref)).size).toBe(1);
    expect(made.every(({ observed }) => observed === "enabled")).toBe(true);
  });

  it("refuses a marker of a key for another algorithm", async () => {
    const { provider, marker } = await openShared();
    await provider.keys.create({ algorithm: "RSA-2048-PSS-SHA384", marker, description: "" }, call());
    const spec = { algorithm: "RSA-2048-PSS-SHA256", marker, description: "", material: RSA_2048 } as const;
    expect((await faultOfRejected(provider, provider.importer.importKey(spec, call()))).failure).toBe("INTERNAL");
  });

  it("waits for the service to see its own key", async () => {
    const { fake, provider, marker } = await openShared(hasty);
    fake.faults.add({ kind: "not-found", operation: "GetParametersForImport", repeat: 2 });
    fake.faults.add({ kind: "not-found", operation: "ImportKeyMaterial" });
    const spec = { algorithm: "HMAC-SHA-256", marker, description: "", material: randomBytes(32) } as const;
    expect(await provider.importer.importKey(spec, call())).toMatchObject({ observed: "enabled" });
  });
});

describe("importKey that fails on its way", () => {
  it.for([
    { operation: "CreateAlias", kind: "lost-answer", failure: "UNKNOWN_OUTCOME" },
    { operation: "GetParametersForImport", kind: "error500", failure: "OUTAGE" },
    { operation: "GetParametersForImport", kind: "empty-200", failure: "OUTAGE" },
    { operation: "GetParametersForImport", kind: "throttle", failure: "THROTTLED" },
    { operation: "ImportKeyMaterial", kind: "error500", failure: "UNKNOWN_OUTCOME" },
    { operation: "ImportKeyMaterial", kind: "lost-answer", failure: "UNKNOWN_OUTCOME" },
    { operation: "ImportKeyMaterial", kind: "access-denied", failure: "DENIED" },
    { operation: "ImportKeyMaterial", kind: "invalid-ciphertext", failure: "INVALID" },
  ] as const)("at $operation with $kind is $failure, and goes on with its key when repeated", async (row) => {
    const { failure, ...fault } = row;
    const { fake, provider, marker } = await openShared();
    fake.faults.add(fault);
    const spec = { algorithm: "HMAC-SHA-256", marker, description: "", material: randomBytes(32) } as const;
    expect((await faultOfRejected(provider, provider.importer.importKey(spec, call()))).failure).toBe(failure);
    expect(await provider.importer.importKey(spec, call())).toMatchObject({ observed: "enabled", marker });
    expect(fake.calls.count("CreateKey")).toBe(1);
  });

  it("has an unknown outcome where the key cannot be read back", async () => {
    const { fake, provider, marker } = await openShared();
    const spec = { algorithm: "HMAC-SHA-256", marker, description: "", material: randomBytes(32) } as const;
    fake.faults.add({ kind: "access-denied", operation: "ImportKeyMaterial" });
    await faultOfRejected(provider, provider.importer.importKey(spec, call()));
    const atTheSecond = [
      { kind: "slow", ms: 0, operation: "ListResourceTags" },
      { kind: "error500", operation: "ListResourceTags" },
    ] as const;
    fake.faults.add(...atTheSecond);
    const importing = provider.importer.importKey(spec, call());
    expect((await faultOfRejected(provider, importing)).failure).toBe("UNKNOWN_OUTCOME");
  });

  it("is INVALID for other material than that which the key had, and goes on with the same", async () => {
    const { fake, provider, marker } = await openShared();
    const spec = { algorithm: "AES-256-OPAQUE", marker, description: "", material: randomBytes(32) } as const;
    const { ref } = await provider.importer.importKey(spec, call());
    const stranger = openStranger(fake);
    await stranger.send(new sdk.DeleteImportedKeyMaterialCommand({ KeyId: ref }));
    expect(await provider.describe(ref, call())).toMatchObject({ observed: "material-missing" });
    const other = provider.importer.importKey({ ...spec, material: randomBytes(32) }, call());
    const refusal = { failure: "INVALID", nativeCode: "IncorrectKeyMaterialException" };
    expect(await faultOfRejected(provider, other)).toMatchObject(refusal);
    expect(await provider.importer.importKey(spec, call())).toMatchObject({ ref, observed: "enabled" });
  });
});

function openStranger(fake: AwsKmsFake): sdk.KMSClient {
  const credentials = { accessKeyId: "AKIASTRANGER", secretAccessKey: "secret" };
  const client = new sdk.KMSClient({ endpoint: fake.endpoint, region: fake.region, credentials });
  onTestFinished(() => {
    client.destroy();
  });
  return client;
}

describe("material that is no key of the algorithm is INVALID, without a call", () => {
  const pem = createPrivateKey({ key: P256, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" });
  it.for([
    { name: "a secret too short", algorithm: "AES-256-OPAQUE", material: randomBytes(31) },
    { name: "a secret too long", algorithm: "AES-256-OPAQUE", material: randomBytes(33) },
    { name: "no bytes", algorithm: "HMAC-SHA-512", material: Buffer.alloc(0) },
    { name: "a secret for another hash", algorithm: "HMAC-SHA-384", material: randomBytes(32) },
    { name: "a private key for a secret", algorithm: "HMAC-SHA-256", material: P256 },
    { name: "a secret for a private key", algorithm: "EC-P256-SHA256", material: randomBytes(32) },
    { name: "a key of another curve", algorithm: "EC-P384-SHA384", material: P256 },
    { name: "a key of the other curve of 256 bits", algorithm: "EC-SECP256K1-SHA256", material: P256 },
    { name: "a key of another size", algorithm: "RSA-3072-PSS-SHA256", material: RSA_2048 },
    { name: "an EC key for RSA", algorithm: "RSA-2048-PSS-SHA256", material: P256 },
    { name: "an RSA key for EC", algorithm: "ECDH-P256", material: RSA_2048 },
    {
      name: "an RSA-PSS key",
      algorithm: "RSA-2048-PSS-SHA256",
      material: pkcs8(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey),
    },
    { name: "an X25519 key", algorithm: "ED25519", material: pkcs8(generateKeyPairSync("x25519").privateKey) },
    { name: "a byte after the key", algorithm: "EC-P256-SHA256", material: Buffer.concat([P256, Buffer.alloc(1)]) },
    { name: "a key that is cut", algorithm: "EC-P256-SHA256", material: P256.subarray(0, -1) },
    { name: "PEM", algorithm: "EC-P256-SHA256", material: Buffer.from(pem) },
    {
      name: "a public key",
      algorithm: "EC-P256-SHA256",
      material: generateKeyPairSync("ec", { namedCurve: "prime256v1" }).publicKey.export({
        type: "spki",
        format: "der",
      }),
    },
    { name: "more bytes than can be brought", algorithm: "RSA-2048-PSS-SHA256", material: Buffer.alloc(5625, 0x30) },
  ] as const)("$name for $algorithm", async ({ algorithm, material }) => {
    const { fake, provider } = await openPair();
    const importing = provider.importer.importKey({ algorithm, marker: "m-1", description: "", material }, call());
    expect(await faultOfRejected(provider, importing)).toEqual({
      failure: "INVALID",
      detail: "the material is no key of the algorithm",
    });
    expect(fake.calls.count()).toBe(0);
  });
});

describe("what no row allows is refused before the call", () => {
  it.for([
    { name: "ML-DSA", change: { algorithm: "ML-DSA-65" } },
    { name: "ML-KEM", change: { algorithm: "ML-KEM-768" } },
    { name: "AES-256-GCM", change: { algorithm: "AES-256-GCM" } },
    { name: "the canary's marker", change: { marker: "canary" } },
    { name: "a marker that leaves its alias", change: { marker: "../x" } },
  ] as const)("$name", async ({ change }) => {
    const { fake, provider } = await openPair();
    const spec = { algorithm: "AES-256-OPAQUE", marker: "m-1", description: "", material: randomBytes(32) } as const;
    const importing = provider.importer.importKey({ ...spec, ...change }, call());
    expect((await faultOfRejected(provider, importing)).failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });
});

describe("a wrapping key that was not asked for gets no material", () => {
  const spki = (key: KeyObject): string => key.export({ type: "spki", format: "der" }).toString("base64");
  it.for([
    { name: "a shorter one", PublicKey: spki(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey) },
    { name: "one of EC", PublicKey: spki(generateKeyPairSync("ec", { namedCurve: "prime256v1" }).publicKey) },
    { name: "none", PublicKey: "AAAA" },
    { name: "a text", PublicKey: 5 },
  ])("$name", async ({ PublicKey }) => {
    const asked: string[] = [];
    const KeyMetadata = { Arn: "arn", KeyState: "PendingImport", KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
    const endpoint = await serve((operation) => {
      asked.push(operation);
      if (operation === "DescribeKey") return { body: JSON.stringify({ KeyMetadata }) };
      return { body: operation === "ListResourceTags" ? "{}" : JSON.stringify({ PublicKey, ImportToken: "AAAA" }) };
    });
    const provider = await openProvider({ endpoint });
    const spec = { algorithm: "HMAC-SHA-256", marker: "m-1", description: "", material: randomBytes(32) } as const;
    expect((await faultOfRejected(provider, provider.importer.importKey(spec, call()))).failure).toBe("OUTAGE");
    expect(asked).toEqual(["DescribeKey", "ListResourceTags", "GetParametersForImport"]);
  });
});
