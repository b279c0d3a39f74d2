import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, createRing, RING, TOKEN } from "../contract/gcp-kms/subject.ts";
import { openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { openAzureKeyVaultFake } from "../fakes/azure-key-vault/fake.ts";
import { openGcpKmsFake } from "../fakes/gcp-kms/fake.ts";
import { Estate } from "./estate.ts";
import { eventually } from "./eventually.ts";

const PLAINTEXT = Buffer.from("for three clouds").toString("base64");
const aws = await openAwsKmsFake();
const azure = await openAzureKeyVaultFake({ retentionDays: 30 });
const gcp = await openGcpKmsFake();
const folder = await mkdtemp(join(tmpdir(), "claviger-clouds-"));
let estate: Estate;

beforeAll(async () => {
  const kms = createClient(gcp);
  await createRing(kms);
  await kms.close();
  await writeFile(join(folder, "azure.pem"), azure.ca);
  await writeFile(join(folder, "gcp.pem"), gcp.ca ?? "");
  const { token } = await azure.credential.getToken();
  estate = await Estate.create(`
providers:
  aws: { kind: aws-kms, region: us-east-1, endpoint: "${aws.endpoint}", credentials: { data: { accessKeyId: test, secretAccessKey: test } } }
  azure: { kind: azure-key-vault, vault: "${azure.vaultUrl}", ca: ${join(folder, "azure.pem")}, retentionDays: 30, credentials: { data: { token: "${token}" } } }
  gcp: { kind: gcp-kms, keyRing: ${RING}, endpoint: "https://localhost:${gcp.port}", ca: ${join(folder, "gcp.pem")}, credentials: { data: { token: ${TOKEN} } } }
routes: [{ name: default, place: { holders: all, minimum: 2 } }]
listen: { port: 0, insecureHttp: true }
`);
}, 60_000);

afterAll(async () => {
  await estate[Symbol.asyncDispose]();
  await Promise.all([aws, azure, gcp].map(async (fake) => await fake[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true });
}, 60_000);

describe("a portable key in three clouds", () => {
  it("is wrapped by each, and opens after a restart whichever one of them is left", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    await eventually("three wraps", 10_000, async () => {
      const { replication } = await estate.succeed("GET", "/v1/keys/orders");
      return (replication as { ready: number }).ready === 3 ? true : undefined;
    });
    const { ciphertext } = await estate.succeed("POST", "/v1/keys/orders/encrypt", { plaintext: PLAINTEXT });
    for (const left of [aws, azure, gcp]) {
      await estate.close();
      const lost = [aws, azure, gcp].filter((fake) => fake !== left);
      for (const fake of lost) await fake.stop();
      await estate.reopen();
      const opened = await estate.succeed("POST", "/v1/decrypt", { ciphertext });
      expect(opened).toMatchObject({ plaintext: PLAINTEXT, provider: "gateway" });
      for (const fake of lost) await fake.start();
    }
  }, 60_000);
});

describe("a native key", () => {
  it.for(["aws", "azure", "gcp"])("of %s signs, is checked here, and is destroyed over there", async (provider) => {
    const name = `releases-${provider}`;
    const custody = { kind: "native", provider };
    await estate.succeed("POST", "/v1/keys", { name, purpose: "sign", custody });
    const signed = await estate.succeed("POST", `/v1/keys/${name}/sign`, { message: PLAINTEXT });
    expect(signed).toMatchObject({ provider });
    const check = { message: PLAINTEXT, signature: signed["signature"] };
    expect(await estate.succeed("POST", `/v1/keys/${name}/verify`, check)).toMatchObject({ valid: true });
    await estate.succeed("POST", `/v1/keys/${name}/suspend`, { reason: "hold" });
    expect(await estate.ask("POST", `/v1/keys/${name}/sign`, { message: PLAINTEXT })).toMatchObject({
      status: 409,
      body: { code: "KEY_NOT_ACTIVE" },
    });
    await estate.succeed("POST", `/v1/keys/${name}/resume`, { reason: "found well" });
    await estate.succeed("POST", `/v1/keys/${name}/sign`, { message: PLAINTEXT });
    await estate.succeed("POST", `/v1/keys/${name}/deactivate`, { reason: "superseded" });
    const pending = await estate.succeed("POST", `/v1/keys/${name}/destroy`, { confirmName: name, windowDays: 30 });
    expect(pending).toMatchObject({ stateReason: "destroy-pending" });
    await estate.succeed("POST", `/v1/keys/${name}/cancel-destroy`);
    expect(await estate.succeed("POST", `/v1/keys/${name}/verify`, check)).toMatchObject({ valid: true });
  });
});
