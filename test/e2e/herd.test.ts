import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { eventually } from "./eventually.ts";
import { type Answer, Gateway } from "./live-gateway.ts";
import { awsLine, BRISK_BREAKER, configOf, HSM_LINE } from "./two-providers.ts";
import { bindingAt, createKey, decrypt, encrypt, getKey, getProvider, probeProvider } from "./use-keys.ts";

/** Of nine that fail none finds the failure of another remembered. */
const FAILING = Array.from({ length: 9 }, (_, n) => `failing-${n}`);
const RESET = Array.from({ length: 5 }, (_, n) => `reset-${n}`);
const NAMES = ["readers", "hasty", "hung", "reset", ...RESET, ...FAILING, "away", "warm"];
/** For everything in here: a busy machine runs a thousand requests in seconds. */
const DEADLINE_MS = 5000;
/** Held by AWS alone, each with a branch of its own. */
const AWS_ONLY = { holders: ["aws"], minimum: 1, dedicated: true };

describe("many callers at once", { timeout: 60_000 }, () => {
  let fake: AwsKmsFake;
  let folder: DataFolder;
  let gateway: Gateway;
  const ciphertexts = new Map<string, string>();
  const recipients = new Map<string, string>();
  /** How often the branch key of a key was asked for since the restart. */
  const loadsOf = (name: string): number =>
    fake.calls.of("Decrypt").filter(({ keyId }) => keyId === recipients.get(name)).length;
  const ask = async (name: string, headers: Record<string, string> = {}): Promise<Answer> =>
    await gateway.ask({
      method: "POST",
      path: "/v1/decrypt",
      body: { ciphertext: ciphertexts.get(name) },
      headers,
    });
  const thousand = async (name: string, headers: Record<string, string> = {}): Promise<readonly number[]> => {
    const answers = await Promise.all(Array.from({ length: 1000 }, async () => (await ask(name, headers)).status));
    return [...new Set(answers)];
  };

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    folder = await openDataFolder();
    const resilience = `{ deadlineMs: ${DEADLINE_MS}, ${BRISK_BREAKER} }`;
    const config = configOf({ providers: [awsLine("aws", fake), HSM_LINE], resilience });
    gateway = await Gateway.start({ data: folder.path, config });
    for (const name of NAMES) {
      await createKey(gateway, { name, custody: AWS_ONLY });
      ciphertexts.set(name, (await encrypt(gateway, name, `of ${name}`)).ciphertext);
    }
    for (const name of NAMES) recipients.set(name, (await bindingAt(gateway, name, "aws")).nativeRef);
    await gateway.stop();
    fake.calls.clear();
    gateway = await Gateway.start({ data: folder.path, config, connections: 200 });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  it("who read a cold key together make one call of its provider", async () => {
    // their connections are there, so that none comes late
    await Promise.all(Array.from({ length: 200 }, async () => await gateway.ask({ path: "/healthz" })));
    fake.faults.add({ kind: "slow", operation: "Decrypt", ms: 1000 });
    expect(await thousand("readers")).toEqual([200]);
    expect(loadsOf("readers")).toBe(1);
  }, 60_000);

  it("who make the first keys of a placement together make one branch for all", async () => {
    const names = Array.from({ length: 20 }, (_, n) => `together-${n}`);
    const before = fake.calls.count("CreateKey");
    await Promise.all(names.map(async (name) => await createKey(gateway, { name })));
    const bindings = await Promise.all(names.map(async (name) => (await bindingAt(gateway, name, "aws")).id));
    expect(new Set(bindings).size).toBe(1);
    expect(fake.calls.count("CreateKey") - before).toBe(1);
  });

  it("with hardly any time open no breaker, neither where the provider is slow nor where it hangs", async () => {
    const haste = { "claviger-deadline-ms": "5" };
    {
      using _ = fake.faults.add({ kind: "slow", operation: "Decrypt", ms: 500, repeat: "forever" });
      expect(await thousand("hasty", haste)).toContain(504);
      expect((await ask("hasty")).status).toBe(200);
      expect((await getProvider(gateway, "aws")).gateways[0]?.data.state).toBe("closed");
      expect(loadsOf("hasty")).toBe(1);
    }
    fake.faults.add({ kind: "hang", operation: "Decrypt" });
    expect(await thousand("hung", haste)).toContain(504);
    const aws = await getProvider(gateway, "aws");
    expect(aws.gateways[0]?.data.state).toBe("closed");
    await eventually("others notice nothing", 5000, async () =>
      (await ask("hung")).status === 200 ? true : undefined,
    );
    expect((await getProvider(gateway, "aws")).gateways[0]?.data.state).toBe("closed");
  }, 60_000);

  it("never see the reset of one kept connection", async () => {
    await probeProvider(gateway, "aws");
    fake.faults.add({ kind: "reset-on-reuse", operation: "Decrypt" });
    expect((await decrypt(gateway, ciphertexts.get("reset") ?? "")).text).toBe("of reset");
    expect(fake.faults.pending).toEqual([]);
  });

  it("never see the reset of all kept connections", async () => {
    const probes = RESET.map(async () => await probeProvider(gateway, "aws"));
    await Promise.all(probes);
    using resets = fake.faults.add({ kind: "reset-on-reuse", operation: "Decrypt", repeat: RESET.length });
    const opened = await Promise.all(RESET.map(async (name) => (await ask(name)).status));
    expect(opened).toEqual(RESET.map(() => 200));
    resets[Symbol.dispose]();
  });

  it("open a breaker with nine failures in ten seconds", async () => {
    using _ = fake.faults.add({ kind: "error500", operation: "Decrypt", repeat: "forever" });
    for (const name of FAILING) expect((await ask(name)).status).toBe(503);
    expect((await getProvider(gateway, "aws")).gateways[0]?.data.state).not.toBe("closed");
  }, 60_000);

  it("are told to come back within the deadline when every provider is gone and the key is cold", async () => {
    await eventually("aws is up", 20_000, async () =>
      (await getProvider(gateway, "aws")).status === "up" ? true : undefined,
    );
    expect((await ask("warm")).status).toBe(200);
    await rename(join(folder.path, "hsm"), join(folder.path, "gone"));
    using _ = fake.faults.add({ kind: "hang", repeat: "forever" });
    const startMs = performance.now();
    const answer = await ask("away");
    expect(performance.now() - startMs).toBeLessThan(DEADLINE_MS);
    expect(answer, gateway.complaints).toMatchObject({ status: 503, json: { code: "NO_PROVIDER", retry: "later" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const hasty = await ask("away", { "claviger-deadline-ms": "300" });
    expect([503, 504]).toContain(hasty.status);

    // what is warm works on, and says for how long
    expect(await decrypt(gateway, ciphertexts.get("warm") ?? "")).toMatchObject({ text: "of warm", attempts: 0 });
    expect((await encrypt(gateway, "warm", "more")).attempts).toBe(0);
    const { hardTtlTime } = await getKey(gateway, "warm");
    expect(Date.parse(hardTtlTime ?? "")).toBeGreaterThan(Date.now() + 3_000_000);
    expect((await getKey(gateway, "away")).hardTtlTime).toBeNull();
    for (const name of ["aws", "hsm"]) {
      await eventually(`${name} is down`, 15_000, async () =>
        (await getProvider(gateway, name)).status === "down" ? true : undefined,
      );
    }
    expect((await ask("warm")).status).toBe(200);
    const suspended = await gateway.ask({
      method: "POST",
      path: "/v1/keys/warm/suspend",
      body: { reason: "distribution" },
    });
    expect(suspended).toMatchObject({ status: 200, json: { state: "suspended", unconfirmed: [] } });
    await expect(encrypt(gateway, "warm", "more")).rejects.toThrow("KEY_NOT_ACTIVE");
  }, 60_000);
});
