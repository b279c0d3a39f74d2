import { generateKeyPairSync, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { Estate } from "./estate.ts";
import { awsLine } from "./two-providers.ts";
import { wrapForImport } from "./wrap-for-import.ts";

const DAY_MS = 86_400_000;
const EC = { purpose: "sign", algorithm: "EC-P256-SHA256" };
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

async function awaiting(body: object, provider = "hsm"): Promise<string> {
  names += 1;
  const name = `awaiting-${names}`;
  await estate.succeed("POST", "/v1/keys", {
    name,
    purpose: "mac",
    custody: { kind: "native", provider },
    material: "import",
    ...body,
  });
  return name;
}

/** The body of an import of bytes into a key. */
async function wrapped(name: string, material: Buffer): Promise<{ readonly token: unknown; readonly wrapped: string }> {
  const { publicKey, token } = await estate.succeed("POST", `/v1/keys/${name}/import-parameters`);
  return { token, wrapped: wrapForImport(material, publicKey) };
}

async function bring(name: string, more: object = {}): Promise<Record<string, unknown>> {
  const body = await wrapped(name, randomBytes(32));
  return await estate.succeed("POST", `/v1/keys/${name}/import`, { ...body, ...more });
}

/** Keys of a provider that nobody has ended; the background disables those that have not begun. */
async function keptAt(provider: string): Promise<number> {
  const { provider: opened } = estate.gateway.parts.fleet.member(provider) ?? expect.fail("it is not there");
  const all = await Array.fromAsync(opened?.list({ signal: AbortSignal.timeout(10_000), requestId: "req_t" }) ?? []);
  return all.filter(({ observed }) => observed === "enabled" || observed === "disabled").length;
}

describe("the first import", () => {
  it("begins the key as was wished when it was made, and as the import says where it says it", async () => {
    expect(await bring(await awaiting({}))).toMatchObject({ state: "active", primaryVersion: 1 });
    const kept = await awaiting({ activate: false });
    expect(await bring(kept)).toMatchObject({ state: "generated", stateReason: "created", primaryVersion: null });
    expect(await bring(await awaiting({ activate: false }), { activate: true })).toMatchObject({ state: "active" });
    expect(await bring(await awaiting({}), { activate: false })).toMatchObject({
      state: "generated",
      activateTime: null,
    });
  });

  it("leaves the beginning to a date that is still to come", async () => {
    const now = Date.now();
    const dated = await awaiting({ activateTime: new Date(now + DAY_MS).toISOString() });
    expect(await bring(dated)).toMatchObject({ state: "generated", stateReason: "created", latestVersion: 1 });
    const moved = await awaiting({});
    const activateTime = new Date(now + DAY_MS).toISOString();
    expect(await estate.succeed("PATCH", `/v1/keys/${moved}`, { activateTime })).toMatchObject({ activateTime });
    expect(await bring(moved)).toMatchObject({ state: "generated", activateTime });
    estate.advance(DAY_MS + 1000);
    for (const name of [dated, moved]) {
      expect(await estate.succeed("GET", `/v1/keys/${name}`)).toMatchObject({ state: "active", primaryVersion: 1 });
      await estate.succeed("POST", `/v1/keys/${name}/mac`, { message: "" });
    }
  });

  it("waits for a person in a namespace that activates by hand", async () => {
    await estate.succeed("POST", "/v1/namespaces", { name: "by-hand", activation: "manual" });
    const custody = { kind: "native", provider: "hsm" };
    const inside = { "claviger-namespace": "by-hand" };
    const ask = async (path: string, body: object): Promise<Record<string, unknown>> =>
      (await estate.ask("POST", path, body, inside)).body;
    await ask("/v1/keys", { name: "m", purpose: "mac", custody, material: "import" });
    const { token, publicKey } = await ask("/v1/keys/m/import-parameters", {});
    const body = { token, wrapped: wrapForImport(randomBytes(32), publicKey) };
    expect(await ask("/v1/keys/m/import", body)).toMatchObject({ state: "generated", stateReason: "created" });
    expect(await ask("/v1/keys/m/activate", {})).toMatchObject({ state: "active", primaryVersion: 1 });
  });
});

describe("an import that is sent twice", () => {
  it("is made once under its Idempotency-Key, and its key is made once too", async () => {
    const headers = { "idempotency-key": "bring-it" };
    const name = await awaiting({});
    const body = await wrapped(name, randomBytes(32));
    const path = `/v1/keys/${name}/import`;
    const first = await estate.ask("POST", path, body, headers);
    const held = await keptAt("hsm");
    expect(await estate.ask("POST", path, body, headers)).toEqual(first);
    expect(first).toMatchObject({ status: 200, body: { latestVersion: 1 } });
    expect(await keptAt("hsm")).toBe(held);
    const other = await wrapped(name, randomBytes(32));
    expect(await estate.ask("POST", path, other, headers)).toMatchObject({
      status: 422,
      body: { code: "IDEMPOTENCY_KEY_REUSED" },
    });
  });

  it("gives way to the one that came first, and leaves nothing behind", async () => {
    const name = await awaiting({});
    await bring(name);
    const held = await keptAt("hsm");
    const bodies = [await wrapped(name, randomBytes(32)), await wrapped(name, randomBytes(32))];
    const path = `/v1/keys/${name}/import`;
    const answers = await Promise.all(bodies.map(async (body) => await estate.ask("POST", path, body)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: "PLAN_STALE" });
    expect(await estate.succeed("GET", `/v1/keys/${name}`)).toMatchObject({ latestVersion: 2, primaryVersion: 2 });
    expect(await keptAt("hsm")).toBe(held + 1);
  });
});

describe.each(["hsm", "aws"])("what is no key of the algorithm, at %s", (provider) => {
  const ec = (namedCurve: string): Buffer =>
    generateKeyPairSync("ec", { namedCurve }).privateKey.export({ format: "der", type: "pkcs8" });
  const rsa = (modulusLength: number): Buffer =>
    generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ format: "der", type: "pkcs8" });
  const chimera = (): Buffer => {
    const [one, other] = [ec("P-256"), ec("P-256")];
    return Buffer.concat([one.subarray(0, -64), other.subarray(-64)]); // both coordinates stand last (RFC 5915)
  };
  const open = (): Buffer =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "der", type: "spki" });
  const RSA = { purpose: "sign", algorithm: "RSA-2048-PSS-SHA256" };

  it.for([
    { what: "another curve", key: EC, material: () => ec("P-384") },
    { what: "a public key", key: EC, material: open },
    { what: "a private key with another's public half", key: EC, material: chimera },
    { what: "another kind of key", key: EC, material: () => rsa(2048) },
    { what: "raw bytes for a private key", key: EC, material: () => randomBytes(32) },
    { what: "another modulus", key: RSA, material: () => rsa(3072) },
    {
      what: "a shorter secret",
      key: { purpose: "encrypt", algorithm: "AES-256-OPAQUE" },
      material: () => randomBytes(16),
    },
  ])("is refused and leaves nothing behind: $what", async ({ key, material }) => {
    const name = await awaiting(key, provider);
    const held = await keptAt(provider);
    expect(await estate.ask("POST", `/v1/keys/${name}/import`, await wrapped(name, material()))).toMatchObject({
      status: 400,
      body: { code: "INVALID_ARGUMENT", errors: [{ pointer: "/wrapped" }] },
    });
    expect(await estate.succeed("GET", `/v1/keys/${name}`)).toMatchObject({
      state: "generated",
      stateReason: "awaiting-material",
      latestVersion: 0,
    });
    expect(await keptAt(provider)).toBe(held);
  });
});

describe("the trail", () => {
  it("tells of imports and of their refusals, and of nothing that came with them", async () => {
    const name = await awaiting({});
    const body = await wrapped(name, randomBytes(32));
    await estate.ask("POST", `/v1/keys/${name}/import`, { ...body, token: "none" });
    await estate.succeed("POST", `/v1/keys/${name}/import`, body);
    const { id } = await estate.succeed("GET", `/v1/keys/${name}`);
    const { items } = await estate.succeed("GET", `/v1/audit?key=${String(id)}`);
    const told = (items as { operation: string; outcome: string }[])
      .filter(({ operation, outcome }) => operation === "keys.import" && outcome !== "begun")
      .map(({ outcome }) => outcome);
    expect(told.toSorted()).toEqual(["INVALID_ARGUMENT", "ok"]);
    expect(JSON.stringify(items)).not.toContain(body.wrapped.slice(0, 40));
    expect(await estate.filesWith(body.wrapped.slice(0, 40))).toEqual([]);
  });
});
