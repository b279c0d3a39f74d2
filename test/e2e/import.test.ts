import { createHmac, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { Estate } from "./estate.ts";
import { awsLine } from "./two-providers.ts";
import { wrapForImport } from "./wrap-for-import.ts";

const DAY_MS = 86_400_000;
let aws: AwsKmsFake;
let estate: Estate;
let names = 0;
beforeAll(async () => {
  aws = await openAwsKmsFake();
  estate = await Estate.create(`
providers:
  hsm: { kind: local-hsm, failureDomain: hsm }
  ${awsLine("aws", aws)}
listen: { port: 0, insecureHttp: true }
`);
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
}, 60_000);

async function awaiting(provider: string, body: object): Promise<string> {
  names += 1;
  const name = `imported-${names}`;
  const custody = { kind: "native", provider };
  const key = await estate.succeed("POST", "/v1/keys", { name, custody, material: "import", ...body });
  expect(key).toMatchObject({
    state: "generated",
    stateReason: "awaiting-material",
    latestVersion: 0,
    primaryVersion: null,
    origin: "imported",
  });
  return name;
}

async function bring(name: string, material: Buffer, more: object = {}): Promise<Record<string, unknown>> {
  const { publicKey, token } = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
  return await estate.succeed("POST", `/v1/keys/${name}/import`, {
    token,
    wrapped: wrapForImport(material, publicKey),
    ...more,
  });
}

const message = Buffer.from("a message");

describe.each(["hsm", "aws"])("a key that is imported into %s", (provider) => {
  it.for([
    ["EC-P256-SHA256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
    ["RSA-2048-PKCS1-SHA256", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ] as const)("signs as the one that was outside: %s", async ([algorithm, make]) => {
    const { privateKey, publicKey } = make();
    const name = await awaiting(provider, { purpose: "sign", algorithm });
    const key = await bring(name, privateKey.export({ format: "der", type: "pkcs8" }));
    expect(key).toMatchObject({
      state: "active",
      stateReason: null,
      latestVersion: 1,
      primaryVersion: 1,
      exportability: { neverExtractable: false, alwaysSensitive: false, fresh: false },
    });
    const { signature } = await estate.succeed("POST", `/v1/keys/${name}/sign`, {
      message: message.toString("base64"),
    });
    expect(verify("sha256", message, publicKey, Buffer.from(String(signature), "base64"))).toBe(true);
    const { publicKey: told } = await estate.succeed("GET", `/v1/keys/${name}/public-key`);
    expect(told).toBe(publicKey.export({ format: "der", type: "spki" }).toString("base64"));
  });

  it("makes the MACs of the one that was outside", async () => {
    const material = randomBytes(32);
    const name = await awaiting(provider, { purpose: "mac" });
    await bring(name, material);
    const { mac } = await estate.succeed("POST", `/v1/keys/${name}/mac`, { message: message.toString("base64") });
    expect(mac).toBe(createHmac("sha256", material).update(message).digest("base64"));
  });

  it("gets its next version by the next import, and opens what the one before made", async () => {
    const name = await awaiting(provider, { algorithm: "AES-256-OPAQUE" });
    await bring(name, randomBytes(32));
    const { ciphertext } = await estate.succeed("POST", `/v1/keys/${name}/encrypt`, { plaintext: "cGxhaW4=" });
    expect(await bring(name, randomBytes(32))).toMatchObject({ latestVersion: 2, primaryVersion: 2 });
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({
      plaintext: "cGxhaW4=",
      stale: true,
    });
    expect(await estate.ask("POST", `/v1/keys/${name}/rotate`)).toMatchObject({
      status: 422,
      body: { code: "UNSUPPORTED_COMBINATION" },
    });
    expect(await estate.ask("PATCH", `/v1/keys/${name}`, { rotation: { everyDays: 30 } })).toMatchObject({
      status: 422,
    });
  });
});

describe("an import", () => {
  it("is wrapped by openssl too", async ({ skip }) => {
    if (spawnSync("openssl", ["version"]).status !== 0) skip("there is no openssl on this machine");
    const name = await awaiting("hsm", { purpose: "sign" });
    const { publicKey, token } = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
    const folder = await mkdtemp(join(tmpdir(), "claviger-openssl-"));
    const run = (script: string): Buffer => execFileSync("bash", ["-ec", script], { cwd: folder });
    await writeFile(join(folder, "public.der"), Buffer.from(String(publicKey), "base64"));
    run("openssl pkey -pubin -inform der -in public.der -out public.pem; openssl rand 32 > kek");
    run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform der -out key.sec1");
    run("openssl pkcs8 -topk8 -nocrypt -inform der -in key.sec1 -outform der -out key.der");
    run(
      "openssl pkeyutl -encrypt -pubin -inkey public.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -in kek > wrapped",
    );
    run("openssl enc -id-aes256-wrap-pad -iv A65959A6 -K $(od -An -tx1 kek | tr -d ' \\n') -in key.der >> wrapped");
    const wrapped = (await readFile(join(folder, "wrapped"))).toString("base64");
    expect(await estate.succeed("POST", `/v1/keys/${name}/import`, { token, wrapped })).toMatchObject({
      state: "active",
    });
    await rm(folder, { recursive: true });
  });

  it("is refused with the field and what was wanted", async () => {
    const name = await awaiting("hsm", { purpose: "sign" });
    const { publicKey, token } = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
    const ask = async (body: object): Promise<unknown> => {
      const answer = await estate.ask("POST", `/v1/keys/${name}/import`, body);
      return [answer.status, answer.body["code"], (answer.body["errors"] as { pointer: string }[])[0]?.pointer];
    };
    const { privateKey, publicKey: own } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    const wrapped = wrapForImport(pkcs8, publicKey);
    const bad = [400, "INVALID_ARGUMENT", "/wrapped"];
    expect(await ask({ token, wrapped: randomBytes(600).toString("base64") })).toEqual(bad);
    expect(await ask({ token, wrapped: wrapped.slice(0, 400) })).toEqual(bad);
    expect(
      await ask({ token, wrapped: wrapForImport(own.export({ format: "der", type: "spki" }), publicKey) }),
    ).toEqual(bad);
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({
      format: "der",
      type: "pkcs8",
    });
    expect(await ask({ token, wrapped: wrapForImport(other, publicKey) })).toEqual(bad);
    expect(await ask({ token, wrapped: wrapForImport(randomBytes(32), publicKey) })).toEqual(bad);
    const badToken = [400, "INVALID_ARGUMENT", "/token"];
    expect(await ask({ token: `${String(token)}x`, wrapped })).toEqual(badToken);
    expect(await ask({ token: `${String(token).slice(0, -4)}AAAA`, wrapped })).toEqual(badToken);
    const another = await awaiting("hsm", { purpose: "sign" });
    const foreign = await estate.succeed("POST", `/v1/keys/${another}/import-parameters`);
    expect(await ask({ token: foreign["token"], wrapped })).toEqual(badToken);
    expect(await estate.succeed("GET", `/v1/keys/${name}`)).toMatchObject({ latestVersion: 0, state: "generated" });
    expect(await estate.succeed("POST", `/v1/keys/${name}/import?dryRun=true`, { token, wrapped })).toMatchObject({
      latestVersion: 1,
    });
    expect(await estate.succeed("POST", `/v1/keys/${name}/import`, { token, wrapped, activate: false })).toMatchObject({
      state: "generated",
      stateReason: "created",
      latestVersion: 1,
    });
    expect(await estate.succeed("POST", `/v1/keys/${name}/activate`)).toMatchObject({
      state: "active",
      primaryVersion: 1,
    });
  });

  it("takes no part of what is over, and goes on over a restart", async () => {
    const name = await awaiting("hsm", { purpose: "mac" });
    const { publicKey, token } = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
    const body = { token, wrapped: wrapForImport(randomBytes(32), publicKey) };
    estate.advance(DAY_MS);
    expect(await estate.ask("POST", `/v1/keys/${name}/import`, body)).toMatchObject({ status: 400 });
    const fresh = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
    const wrapped = wrapForImport(randomBytes(32), fresh["publicKey"]);
    await estate.close();
    await estate.reopen();
    expect(await estate.succeed("POST", `/v1/keys/${name}/import`, { token: fresh["token"], wrapped })).toMatchObject({
      state: "active",
    });
    estate.advance(3 * DAY_MS);
    const { catalog, importKeys } = estate.gateway.parts;
    const secrets = (): number =>
      Array.from({ length: 6 }, (_, n) => Math.floor((Date.now() + 4 * DAY_MS) / DAY_MS) - n).filter(
        (day) => catalog.secret(`import-key/${day}`) !== undefined,
      ).length;
    expect(secrets()).toBeGreaterThan(0);
    await importKeys.sweep();
    expect(secrets()).toBe(0);
  });

  it("is nothing for keys that were made here, for portable ones, and for what awaits material in other ways", async () => {
    await estate.succeed("POST", "/v1/keys", {
      name: "made-here",
      purpose: "sign",
      custody: { kind: "native", provider: "hsm" },
    });
    expect(await estate.ask("POST", "/v1/keys/made-here/import-parameters")).toMatchObject({
      status: 409,
      body: { code: "ILLEGAL_TRANSITION" },
    });
    const portable = { name: "x", material: "import", custody: { kind: "portable" } };
    expect(await estate.ask("POST", "/v1/keys", portable)).toMatchObject({
      status: 422,
      body: { code: "UNSUPPORTED_COMBINATION" },
    });
    const nobody = { name: "x", material: "import", purpose: "kem", custody: { kind: "native", provider: "aws" } };
    expect(await estate.ask("POST", "/v1/keys", nobody)).toMatchObject({
      status: 422,
      body: { code: "UNSUPPORTED_COMBINATION" },
    });
    const name = await awaiting("hsm", { purpose: "sign" });
    expect(await estate.ask("POST", `/v1/keys/${name}/activate`)).toMatchObject({
      status: 409,
      body: { code: "ILLEGAL_TRANSITION" },
    });
    expect(await estate.ask("POST", `/v1/keys/${name}/sign`, { message: "" })).toMatchObject({
      status: 409,
      body: { code: "KEY_NOT_ACTIVE" },
    });
    expect((await estate.ask("GET", `/v1/keys/${name}/public-key`)).status).toBe(409);
    expect(await estate.succeed("GET", `/v1/keys/${name}/versions`)).toMatchObject({ items: [] });
    await estate.succeed("POST", `/v1/keys/${name}/destroy`, { confirmName: name, windowDays: 7 });
  });
});
