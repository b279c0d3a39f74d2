import { createPublicKey, diffieHellman, encapsulate, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PURPOSES, type Purpose } from "#core/purposes.ts";
import { createClient, createRing, RING, TOKEN } from "../contract/gcp-kms/subject.ts";
import { openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { openAzureKeyVaultFake } from "../fakes/azure-key-vault/fake.ts";
import { openGcpKmsFake } from "../fakes/gcp-kms/fake.ts";
import { Estate } from "./estate.ts";
import { eventually } from "./eventually.ts";

const PLAINTEXT = Buffer.from("for every kind").toString("base64");
const aws = await openAwsKmsFake();
const awsUs = await openAwsKmsFake();
const azure = await openAzureKeyVaultFake({ retentionDays: 30 });
const managed = await openAzureKeyVaultFake({ kind: "managed-hsm", retentionDays: 30 });
const gcp = await openGcpKmsFake();
const CLOUDS = { aws, "aws-us": awsUs, azure, managed, gcp };
const PROVIDERS = [...Object.keys(CLOUDS), "hsm"];
const folder = await mkdtemp(join(tmpdir(), "claviger-kinds-"));
let estate: Estate;

beforeAll(async () => {
  const kms = createClient(gcp);
  await createRing(kms);
  await kms.close();
  await writeFile(join(folder, "azure.pem"), azure.ca);
  await writeFile(join(folder, "managed.pem"), managed.ca);
  await writeFile(join(folder, "gcp.pem"), gcp.ca ?? "");
  const { token } = await azure.credential.getToken();
  const { token: managedToken } = await managed.credential.getToken();
  const keys = (id: string): string =>
    `credentials: { data: { accessKeyId: ${id}, secretAccessKey: secret-of-${id} } }`;
  estate = await Estate.create(`
providers:
  aws: { kind: aws-kms, region: us-east-1, endpoint: "${aws.endpoint}", ${keys("one")} }
  aws-us: { kind: aws-kms, region: us-east-1, endpoint: "${awsUs.endpoint}", ${keys("two")} }
  azure: { kind: azure-key-vault, vault: "${azure.vaultUrl}", ca: ${join(folder, "azure.pem")}, retentionDays: 30, credentials: { data: { token: "${token}" } } }
  managed: { kind: azure-managed-hsm, hsm: "${managed.vaultUrl}", ca: ${join(folder, "managed.pem")}, retentionDays: 30, credentials: { data: { token: "${managedToken}" } } }
  gcp: { kind: gcp-kms, keyRing: ${RING}, endpoint: "https://localhost:${gcp.port}", ca: ${join(folder, "gcp.pem")}, credentials: { data: { token: ${TOKEN} } } }
  hsm: { kind: local-hsm, folder: ${join(folder, "hsm")} }
routes: [{ name: default, place: { holders: all, minimum: 2 } }]
listen: { port: 0, insecureHttp: true }
`);
}, 60_000);

afterAll(async () => {
  await estate[Symbol.asyncDispose]();
  await Promise.all(Object.values(CLOUDS).map(async (fake) => await fake[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true });
}, 60_000);

describe("a portable key in a service of every kind", () => {
  it("opens after a restart whichever one of the clouds is left, or the software HSM", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    await eventually("six wraps", 20_000, async () => {
      const { replication } = await estate.succeed("GET", "/v1/keys/orders");
      return (replication as { ready: number }).ready === PROVIDERS.length ? true : undefined;
    });
    const { ciphertext } = await estate.succeed("POST", "/v1/keys/orders/encrypt", { plaintext: PLAINTEXT });
    for (const left of [...Object.values(CLOUDS), undefined]) {
      await estate.close();
      const lost = Object.values(CLOUDS).filter((fake) => fake !== left);
      for (const fake of lost) await fake.stop();
      const hsm = join(folder, "hsm");
      if (left !== undefined) await rename(hsm, `${hsm}-away`); // a cloud alone: the software HSM is lost too
      if (left !== undefined) await writeFile(hsm, "");
      await estate.reopen();
      expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: PLAINTEXT });
      if (left !== undefined) await rm(hsm);
      if (left !== undefined) await rename(`${hsm}-away`, hsm);
      for (const fake of lost) await fake.start();
    }
  }, 120_000);
});

type Offered = { readonly operation: string; readonly algorithm: string; readonly purpose: Purpose };
type Answer = Record<string, unknown>;

/** The operation that shows that a provider has keys of a purpose. */
const SHOWS: Readonly<Record<Purpose, string>> = {
  encrypt: "decrypt",
  sign: "sign",
  mac: "mac",
  wrap: "wrap-material",
  agree: "agree",
  kem: "decapsulate",
};

/** One round with a key of each purpose; everything else than what was meant fails it. */
const ROUNDS: Readonly<Record<Purpose, (name: string, algorithm: string) => Promise<void>>> = {
  encrypt: async (name, algorithm) => {
    const format = algorithm.startsWith("RSA-") ? { format: "native" } : {};
    const { ciphertext } = await use(name, "encrypt", { plaintext: PLAINTEXT, ...format });
    expect(await use(name, "decrypt", { ciphertext, ...format })).toMatchObject({ plaintext: PLAINTEXT });
  },
  sign: async (name) => {
    const { signature } = await use(name, "sign", { message: PLAINTEXT });
    expect(await use(name, "verify", { message: PLAINTEXT, signature })).toMatchObject({ valid: true });
    expect(await use(name, "verify", { message: "AAAA", signature })).toMatchObject({ valid: false });
  },
  mac: async (name) => {
    const { mac } = await use(name, "mac", { message: PLAINTEXT });
    expect(await use(name, "verify-mac", { message: PLAINTEXT, mac })).toMatchObject({ valid: true });
    expect(await use(name, "verify-mac", { message: "AAAA", mac })).toMatchObject({ valid: false });
  },
  wrap: async (name) => {
    const { wrapped } = await use(name, "wrap", { material: Buffer.alloc(32, 7).toString("base64") });
    expect(await use(name, "unwrap", { wrapped })).toMatchObject({ material: Buffer.alloc(32, 7).toString("base64") });
  },
  agree: async (name) => {
    const { pem } = await estate.succeed("GET", `/v1/keys/${name}/public-key`);
    const publicKey = createPublicKey(String(pem));
    const { namedCurve } = publicKey.asymmetricKeyDetails ?? {};
    const peer = namedCurve === undefined ? generateKeyPairSync("x25519") : generateKeyPairSync("ec", { namedCurve });
    const peerPublicKey = peer.publicKey.export({ format: "der", type: "spki" }).toString("base64");
    const ours = diffieHellman({ privateKey: peer.privateKey, publicKey }).toString("base64");
    expect(await use(name, "agree", { peerPublicKey })).toMatchObject({ sharedSecret: ours });
  },
  kem: async (name) => {
    const { pem } = await estate.succeed("GET", `/v1/keys/${name}/public-key`);
    const { sharedKey, ciphertext } = encapsulate(createPublicKey(String(pem)));
    expect(await use(name, "decapsulate", { ciphertext: ciphertext.toString("base64") })).toMatchObject({
      sharedSecret: sharedKey.toString("base64"),
    });
  },
};

async function use(name: string, operation: string, body: object): Promise<Answer> {
  return await estate.succeed("POST", `/v1/keys/${name}/${operation}`, body);
}

describe("native keys of every purpose", () => {
  it.for(PROVIDERS)("that %s offers do what they are for", { timeout: 60_000 }, async (provider) => {
    const { operations } = await estate.succeed("GET", `/v1/providers/${provider}/capabilities`);
    const offered = operations as readonly Offered[];
    const tried: string[] = [];
    for (const purpose of PURPOSES) {
      const row = offered.find((one) => one.purpose === purpose && one.operation === SHOWS[purpose]);
      if (row === undefined) continue;
      const { algorithm } = row;
      const name = `${purpose}-of-${provider}`;
      await estate.succeed("POST", "/v1/keys", { name, purpose, algorithm, custody: { kind: "native", provider } });
      await ROUNDS[purpose](name, algorithm);
      tried.push(purpose);
    }
    expect(tried).toEqual(expect.arrayContaining(["encrypt", "sign"]));
  });
});
