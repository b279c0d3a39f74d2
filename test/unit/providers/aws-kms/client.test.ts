import dns from "node:dns";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { selfSigned } from "../../../contract/aws-kms/self-signed.ts";
import { openAwsKmsFake } from "../../../fakes/aws-kms/fake.ts";
import { type Adapter, call, faultOfRejected, listed, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const KEY = "arn:aws:kms:us-east-1:111122223333:key/0198c6f0-0000-7000-8000-000000000001";
const random = async (provider: Adapter, signal?: AbortSignal) => await provider.random.randomBytes(8, call(signal));

describe("one call is one request", () => {
  it.for(["error500", "error503", "throttle", "limit", "lost-answer", "error-html", "refuse"] as const)(
    "also when it ends as %s",
    async (kind) => {
      const { fake, provider } = await openPair();
      fake.faults.add({ kind, operation: "GenerateRandom" });
      await faultOfRejected(provider, random(provider));
      expect(fake.calls.count()).toBe(1);
    },
  );
});

describe("no answer is an outage", () => {
  it("when the connection is refused, of a mutation too", async () => {
    const { fake, provider } = await openPair();
    await fake.stop();
    const outage = { failure: "OUTAGE", answered: false, detail: "the service gave no answer: ECONNREFUSED" };
    expect(await faultOfRejected(provider, random(provider))).toEqual(outage);
    expect(await faultOfRejected(provider, provider.keys.enable(KEY, call()))).toEqual(outage);
  });

  it("when a kept connection is reset; the next call makes a new one", async () => {
    const { fake, provider } = await openPair();
    await random(provider);
    fake.faults.add({ kind: "reset-on-reuse" });
    expect(await faultOfRejected(provider, random(provider))).toMatchObject({ failure: "OUTAGE", answered: false });
    await random(provider);
  });

  it("when the certificate is a stranger's, of a mutation too", async () => {
    const { provider } = await openPair({}, { fake: { tls: selfSigned() } });
    const outage = { failure: "OUTAGE", answered: false };
    expect(await faultOfRejected(provider, random(provider))).toMatchObject(outage);
    expect(await faultOfRejected(provider, provider.keys.enable(KEY, call()))).toMatchObject(outage);
  });

  it("when the host has no address, of a mutation too", async () => {
    const asked = refuseNames();
    const provider = await openProvider({ region: "eu-west-1" });
    const outage = { failure: "OUTAGE", answered: false, detail: "the service gave no answer: ENOTFOUND" };
    expect(await faultOfRejected(provider, random(provider))).toEqual(outage);
    expect(await faultOfRejected(provider, provider.keys.enable(KEY, call()))).toEqual(outage);
    expect(asked).toHaveBeenCalledTimes(2);
  });
});

describe("a certificate of the operator's own", () => {
  it("is trusted through `ca`", async () => {
    const tls = selfSigned();
    const folder = await mkdtemp(join(tmpdir(), "claviger-ca-"));
    onTestFinished(async () => {
      await rm(folder, { recursive: true });
    });
    const ca = join(folder, "ca.pem");
    await writeFile(ca, tls.cert);
    const { provider } = await openPair({ ca }, { fake: { tls } });
    expect((await random(provider)).value).toHaveLength(8);
  });

  it("that cannot be read is said when the provider is opened", async () => {
    await expect(openProvider({ ca: "/nowhere/ca.pem" })).rejects.toThrow(
      "ca: the file /nowhere/ca.pem cannot be read",
    );
  });
});

describe("what a proxy may answer", () => {
  it.for([
    { status: 200, body: "", failure: "OUTAGE" },
    { status: 200, body: "{}", failure: "OUTAGE" },
    { status: 200, body: "null", failure: "OUTAGE" },
    { status: 200, body: "<html></html>", failure: "OUTAGE" },
    { status: 200, body: `{"Plaintext":5}`, failure: "OUTAGE" },
    { status: 200, body: `{"Plaintext":"*"}`, failure: "OUTAGE" },
    { status: 401, body: "", failure: "CREDENTIALS" },
    { status: 403, body: "<html></html>", failure: "DENIED" },
    { status: 404, body: "{}", failure: "INTERNAL" },
    { status: 408, body: "", failure: "OUTAGE" },
    { status: 429, body: "slow down", failure: "THROTTLED" },
    { status: 501, body: "not here", failure: "OUTAGE" },
    { status: 503, body: "", failure: "OUTAGE" },
  ] as const)("$status with '$body' is $failure", async ({ status, body, failure }) => {
    const provider = await openProvider({ endpoint: await serve(() => ({ status, body })) });
    const fault = await faultOfRejected(provider, random(provider));
    expect(fault.failure).toBe(failure);
    expect(fault).not.toHaveProperty("answered");
  });

  it("a Retry-After is passed on", async () => {
    const reply = { status: 503, headers: { "Retry-After": "7" } };
    const provider = await openProvider({ endpoint: await serve(() => reply) });
    expect(await faultOfRejected(provider, random(provider))).toMatchObject({ failure: "OUTAGE", retryAfterMs: 7000 });
  });

  it("an answer that is cut shows no plaintext, however it is printed", async () => {
    const secret = Buffer.from("attack at dawn").toString("base64");
    const body = `{"KeyId":"${KEY}","Plaintext":${secret}`;
    const provider = await openProvider({ endpoint: await serve(() => ({ body })) });
    const error = await random(provider).catch((caught: unknown) => caught);
    expect(provider.classify(error).failure).toBe("OUTAGE");
    expect(inspect(error, { depth: 20, showHidden: true, getters: true })).not.toContain(secret.slice(0, 8));
  });

  it("an answer without a request id has none", async () => {
    const body = JSON.stringify({ Plaintext: Buffer.alloc(8).toString("base64") });
    const provider = await openProvider({ endpoint: await serve(() => ({ body })) });
    expect((await random(provider)).requestId).toBeNull();
  });

  it("another number of random bytes is an outage", async () => {
    const body = JSON.stringify({ Plaintext: Buffer.alloc(7).toString("base64") });
    const provider = await openProvider({ endpoint: await serve(() => ({ body })) });
    expect((await faultOfRejected(provider, random(provider))).failure).toBe("OUTAGE");
  });
});

describe("the caller's signal", () => {
  it("ends a call that hangs, at once", async () => {
    const { fake, provider } = await openPair();
    fake.faults.add({ kind: "hang" });
    const controller = new AbortController();
    const asking = random(provider, controller.signal);
    await vi.waitUntil(() => fake.calls.count() === 1);
    controller.abort(new Error("a hedge that lost"));
    expect(await faultOfRejected(provider, asking)).toMatchObject({ failure: "CANCELLED", answered: false });
  });

  it("that has fired lets no request out", async () => {
    const { fake, provider } = await openPair();
    for (const asking of [
      random(provider, AbortSignal.abort()),
      provider.keys.enable(KEY, call(AbortSignal.abort())),
      listed(provider, AbortSignal.abort()),
    ]) {
      expect((await faultOfRejected(provider, asking)).failure).toBe("CANCELLED");
    }
    expect(fake.calls.count()).toBe(0);
  });

  it("leaves no listener behind", async () => {
    const { provider } = await openPair();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await random(provider, signal);
    await vi.waitUntil(() => removed.mock.calls.length === added.mock.calls.length);
    expect(added).toHaveBeenCalled();
  });
});

it("sixty calls that hang keep no socket from the next one", async () => {
  const { fake, provider } = await openPair();
  fake.faults.add({ kind: "hang", repeat: 60 });
  const controller = new AbortController();
  const hanging = Array.from(
    { length: 60 },
    async () => await random(provider, controller.signal).catch(() => "ended"),
  );
  await vi.waitUntil(() => fake.calls.count() === 60);
  expect((await random(provider)).value).toHaveLength(8);
  controller.abort();
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(["ended"]));
});

describe("renew and dispose", () => {
  it("renew lets calls under way end, drops their connections then, and goes on with new ones", async () => {
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const connections: Socket[] = [];
    let asked = 0;
    const endpoint = await serve(
      async () => {
        await answers[asked++]?.promise;
        return { body: JSON.stringify({ Plaintext: Buffer.alloc(8).toString("base64") }) };
      },
      { onConnection: (socket) => connections.push(socket) },
    );
    const provider = await openProvider({ endpoint });
    const first = random(provider);
    await vi.waitUntil(() => asked === 1);
    provider.renew();
    const second = random(provider);
    await vi.waitUntil(() => asked === 2);
    for (const { resolve } of answers) resolve();
    expect([(await first).value.length, (await second).value.length]).toEqual([8, 8]);
    await vi.waitUntil(() => connections[0]?.closed === true);
    expect(connections.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("renew drops connections that nobody uses at once", async () => {
    const connections: Socket[] = [];
    const body = JSON.stringify({ Plaintext: Buffer.alloc(8).toString("base64") });
    const endpoint = await serve(() => ({ body }), { onConnection: (socket) => connections.push(socket) });
    const provider = await openProvider({ endpoint });
    await random(provider);
    provider.renew();
    await vi.waitUntil(() => connections[0]?.closed === true);
  });

  it("a provider that is closed refuses calls", async () => {
    const { fake, provider } = await openPair();
    await provider[Symbol.asyncDispose]();
    expect((await faultOfRejected(provider, random(provider))).failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });
});

describe("the environment", () => {
  it("names no endpoint: it may name this gateway", async () => {
    await using fake = await openAwsKmsFake();
    const asked = refuseNames();
    vi.stubEnv("AWS_ENDPOINT_URL", fake.endpoint);
    vi.stubEnv("AWS_ENDPOINT_URL_KMS", fake.endpoint);
    vi.stubEnv("AWS_USE_FIPS_ENDPOINT", "true");
    vi.stubEnv("AWS_USE_DUALSTACK_ENDPOINT", "true");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const provider = await openProvider({ region: "eu-west-1" });
    await faultOfRejected(provider, random(provider));
    expect(fake.calls.count()).toBe(0);
    expect(asked.mock.calls[0]?.[0]).toBe("kms.eu-west-1.amazonaws.com");
  });

  it("gives credentials where the options have none, through the SDK's own chain", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { fake, provider } = await openPair({ credentials: {} });
    await random(provider);
    expect(fake.calls.all[0]?.accessKeyId).toBe("AKIAENVIRONMENT");
  });

  it("without credentials is CREDENTIALS before any request, of a mutation too", async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere/config");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { fake, provider } = await openPair({ credentials: {} });
    const refused = { failure: "CREDENTIALS", nativeCode: "CredentialsProviderError", answered: false };
    expect(await faultOfRejected(provider, random(provider))).toMatchObject(refused);
    expect(await faultOfRejected(provider, provider.keys.enable(KEY, call()))).toMatchObject(refused);
    expect(fake.calls.count()).toBe(0);
  });
});

/** Lets no name have an address, without asking a name server. */
function refuseNames() {
  const error = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND", syscall: "getaddrinfo" });
  const lookup = vi.spyOn(dns, "lookup") as unknown as ReturnType<typeof vi.fn<(...input: never[]) => void>>;
  lookup.mockImplementation((...input: unknown[]) => {
    const done = input.at(-1) as (error: Error) => void;
    process.nextTick(done, error);
  });
  onTestFinished(() => {
    lookup.mockRestore();
  });
  return lookup;
}
