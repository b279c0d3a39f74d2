import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import type { Fault } from "../fakes/aws-kms/faults.ts";
import { eventually } from "./eventually.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { Gateway } from "./live-gateway.ts";
import { awsLine, BRISK, configOf, HSM_LINE, PATIENT } from "./two-providers.ts";
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

describe("losing providers under load", { timeout: 60_000 }, () => {
  let aws: AwsKmsFake;
  let second: AwsKmsFake;
  let folder: DataFolder;
  let gateway: Gateway;
  const missingOf = async (key: string): Promise<readonly string[]> => (await getKey(gateway, key)).replication.missing;

  beforeAll(async () => {
    aws = await openAwsKmsFake();
    second = await openAwsKmsFake();
    folder = await openDataFolder();
    const providers = [awsLine("aws", aws), awsLine("second", second), HSM_LINE];
    gateway = await Gateway.start({ data: folder.path, config: configOf({ providers, resilience: BRISK }) });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await aws[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
  });

  it("is nothing to callers, is said within 15 s, and what is missing is filled in afterwards", async () => {
    const key = await createKey(gateway, { name: "orders" });
    expect(key.replication).toMatchObject({ wanted: 3, ready: 3, minimum: 2 });
    const { ciphertext } = await encrypt(gateway, "orders", "before");

    await Promise.all([aws.stop(), second.stop()]);
    expect(await decrypt(gateway, ciphertext)).toMatchObject({ text: "before", attempts: 0 });
    expect(await encrypt(gateway, "orders", "during")).toMatchObject({ attempts: 0 });
    expect((await createKey(gateway, { name: "of-the-same-placement" })).replication.ready).toBe(3);

    const lonely = await createKey(gateway, { name: "alone", custody: { minimum: 1, dedicated: true } });
    expect(lonely.replication).toEqual({ wanted: 3, ready: 1, minimum: 1, missing: ["aws", "second"] });
    const written = await encrypt(gateway, "alone", "while they were away");

    const down = await eventually("aws is down", 15_000, async () => {
      const found = await getProvider(gateway, "aws");
      return found.status === "down" ? found : undefined;
    });
    expect(down.missingWraps).toBe(1);
    expect(down.gateways[0]?.data.state).toBe("open");
    expect(await decrypt(gateway, ciphertext)).toMatchObject({ text: "before", attempts: 0 });

    // one that cannot be made does not keep the next waiting
    const denied = aws.faults.add({ kind: "access-denied", operation: "CreateKey", repeat: "forever" });
    await Promise.all([aws.start(), second.start()]);
    await eventually("the wrap of the second is there", 20_000, async () =>
      isDeepStrictEqual(await missingOf("alone"), ["aws"]) ? true : undefined,
    );
    denied[Symbol.dispose]();
    await eventually("both wraps are there", 20_000, async () =>
      (await missingOf("alone")).length === 0 ? true : undefined,
    );
    for (const name of ["aws", "second"]) {
      await eventually(`${name} is up`, 20_000, async () => {
        const { status, missingWraps } = await getProvider(gateway, name);
        return status === "up" && missingWraps === 0 ? true : undefined;
      });
    }
    expect(await decrypt(gateway, written.ciphertext)).toMatchObject({ text: "while they were away" });
  });
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
    const config = configOf({ providers: [awsLine("aws", fake), HSM_LINE], resilience: PATIENT });
    gateway = await Gateway.start({ data: folder.path, config });
    for (const name of ["aws-away", ...FAULTS.map(({ kind }) => kind)])
      await createKey(gateway, { name, custody: { dedicated: true } });
    for (const name of ["hsm-away", "hsm-damaged"]) await createKey(gateway, { name, custody: HSM_FIRST });
    for (const { name } of await listKeys(gateway))
      ciphertexts.set(name, (await encrypt(gateway, name, `of ${name}`)).ciphertext);
    const { nativeRef } = await bindingAt(gateway, "hsm-damaged", "hsm");
    expect(await gateway.stop()).toBe(0);
    await writeFile(join(folder.path, "hsm", "objects", nativeRef, "1.json"), "{}");
    await fake.stop();
    gateway = await Gateway.start({ data: folder.path, config });
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
    await eventually("the damaged one is quarantined", 5000, async () =>
      (await bindingAt(gateway, "hsm-damaged", "hsm")).quarantined ? true : undefined,
    );
  });

  it("opens through aws while the disk of the hsm is away", async () => {
    await rename(join(folder.path, "hsm"), join(folder.path, "hsm-away"));
    const opened = await open("hsm-away");
    await rename(join(folder.path, "hsm-away"), join(folder.path, "hsm"));
    expect(opened.text).toBe("of hsm-away");
    expect((await bindingAt(gateway, "hsm-away", "hsm")).quarantined).toBe(false);
  });
});
