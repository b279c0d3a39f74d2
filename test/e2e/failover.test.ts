import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import type { Fault } from "../fakes/aws-kms/faults.ts";
import { eventually } from "./eventually.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { Gateway } from "./live-gateway.ts";
import {
  bindingAt,
  createKey,
  decrypt,
  type Decrypted,
  encrypt,
  getKey,
  getProvider,
  listKeys,
  probeProvider,
} from "./use-keys.ts";

/** Waits of an idle breaker are the product's own; these make the rest of a cycle short. */
const BREAKER = "breaker: { openForMs: 500, openForMaxMs: 1000 }";

function configFor(fake: AwsKmsFake, breaker = BREAKER): string {
  return `
providers:
  aws:
    kind: aws-kms
    region: ${fake.region}
    endpoint: ${fake.endpoint}
    failureDomain: cloud
    credentials: { data: { accessKeyId: test, secretAccessKey: test } }
  hsm: { kind: local-hsm, failureDomain: rack }
routes: [{ name: default, place: { holders: all, minimum: 2 } }]
resilience: { ${breaker} }
`;
}

describe("losing a provider under load", { timeout: 60_000 }, () => {
  let fake: AwsKmsFake;
  let folder: DataFolder;
  let gateway: Gateway;

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    folder = await openDataFolder();
    gateway = await Gateway.start({ data: folder.path, config: configFor(fake) });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  it("is nothing to callers, is said within 15 s, and what is missing is filled in afterwards", async () => {
    const key = await createKey(gateway, { name: "orders" });
    expect(key.replication).toMatchObject({ wanted: 2, ready: 2, minimum: 2 });
    const { ciphertext } = await encrypt(gateway, "orders", "before");

    await fake.stop();
    const stoppedMs = performance.now();
    expect(await decrypt(gateway, ciphertext)).toMatchObject({ text: "before", attempts: 0 });
    expect(await encrypt(gateway, "orders", "during")).toMatchObject({ attempts: 0 });
    expect((await createKey(gateway, { name: "of-the-same-placement" })).replication.ready).toBe(2);

    const lonely = await createKey(gateway, { name: "alone", custody: { minimum: 1, dedicated: true } });
    expect(lonely.replication).toEqual({ wanted: 2, ready: 1, minimum: 1, missing: ["aws"] });
    const written = await encrypt(gateway, "alone", "while aws was away");

    const down = await eventually("aws is down", 15_000, async () => {
      const aws = await getProvider(gateway, "aws");
      return aws.status === "down" ? aws : undefined;
    });
    expect(performance.now() - stoppedMs).toBeLessThan(15_000);
    expect(down.missingWraps).toBe(1);
    expect(down.gateways[0]?.data.state).toBe("open");
    expect(await decrypt(gateway, ciphertext)).toMatchObject({ text: "before", attempts: 0 });

    await fake.start();
    await eventually("aws is up", 20_000, async () =>
      (await getProvider(gateway, "aws")).status === "up" ? true : undefined,
    );
    const whole = await eventually("the missing wrap is there", 20_000, async () => {
      const { replication } = await getKey(gateway, "alone");
      return replication.missing.length === 0 ? replication : undefined;
    });
    expect(whole).toMatchObject({ wanted: 2, ready: 2 });
    expect((await getProvider(gateway, "aws")).missingWraps).toBe(0);
    expect(await decrypt(gateway, written.ciphertext)).toMatchObject({ text: "while aws was away" });
  }, 120_000);
});

describe("a cold gateway", { timeout: 60_000 }, () => {
  const FAULTS: readonly Fault[] = [
    { kind: "refuse", operation: "Decrypt" },
    { kind: "hang", operation: "Decrypt" },
    { kind: "slow", operation: "Decrypt", ms: 4000 },
    { kind: "error500", operation: "Decrypt" },
    { kind: "error503", operation: "Decrypt" },
    { kind: "error-html", operation: "Decrypt" },
    { kind: "throttle", operation: "Decrypt" },
    { kind: "limit", operation: "Decrypt" },
    { kind: "expired-token", operation: "Decrypt" },
    { kind: "garbage", operation: "Decrypt" },
    { kind: "empty-200", operation: "Decrypt" },
    { kind: "lost-answer", operation: "Decrypt" },
    { kind: "reset-mid-body", operation: "Decrypt" },
    { kind: "reset-on-reuse", operation: "Decrypt" },
  ];
  /** So many faults in a row would open any breaker, and then nobody would meet the rest. */
  const PATIENT =
    "breaker: { failureRateThreshold: 100, minimumCalls: 10000, consecutiveOutages: 1000, slowCallMs: 60000 }";
  /** Loads go in the order of the placement. */
  const HSM_FIRST = { holders: ["hsm", "aws"], dedicated: true };

  let fake: AwsKmsFake;
  let folder: DataFolder;
  let gateway: Gateway;
  const ciphertexts = new Map<string, string>();
  const open = async (name: string): Promise<Decrypted> => await decrypt(gateway, ciphertexts.get(name) ?? "");

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    folder = await openDataFolder();
    gateway = await Gateway.start({ data: folder.path, config: configFor(fake, PATIENT) });
    for (const name of ["aws-away", ...FAULTS.map(({ kind }) => kind)])
      await createKey(gateway, { name, custody: { dedicated: true } });
    for (const name of ["hsm-away", "hsm-damaged"]) await createKey(gateway, { name, custody: HSM_FIRST });
    for (const { name } of await listKeys(gateway))
      ciphertexts.set(name, (await encrypt(gateway, name, `of ${name}`)).ciphertext);
    const { nativeRef } = await bindingAt(gateway, "hsm-damaged", "hsm");
    expect(await gateway.stop()).toBe(0);
    await writeFile(join(folder.path, "hsm", "objects", nativeRef, "1.json"), "{}");
    await fake.stop();
    gateway = await Gateway.start({ data: folder.path, config: configFor(fake, PATIENT) });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  it("starts while a provider is away, and opens what the other holds", async () => {
    expect((await getProvider(gateway, "aws")).status).toBe("down");
    const opened = await open("aws-away");
    expect(opened.text).toBe("of aws-away");
    expect(opened.tookMs).toBeLessThan(2000);
    await fake.start();
    await eventually("aws is up", 30_000, async () =>
      (await getProvider(gateway, "aws")).status === "up" ? true : undefined,
    );
  }, 60_000);

  it.each(FAULTS)("opens a key although aws answers with $kind", async (fault) => {
    await probeProvider(gateway, "aws"); // leaves a connection that is kept
    using _ = fake.faults.add(fault);
    expect((await open(fault.kind)).text).toBe(`of ${fault.kind}`);
    expect(fake.faults.pending).toEqual([]);
  });

  it("opens through aws what a damaged object of the hsm would have opened", async () => {
    expect(await open("hsm-damaged")).toMatchObject({ text: "of hsm-damaged", attempts: 2 });
    expect((await bindingAt(gateway, "hsm-damaged", "hsm")).quarantined).toBe(true);
  });

  it("opens through aws while the disk of the hsm is away", async () => {
    await rename(join(folder.path, "hsm"), join(folder.path, "hsm-away"));
    const opened = await open("hsm-away");
    await rename(join(folder.path, "hsm-away"), join(folder.path, "hsm"));
    expect(opened.text).toBe("of hsm-away");
    expect((await bindingAt(gateway, "hsm-away", "hsm")).quarantined).toBe(false);
  });
});
