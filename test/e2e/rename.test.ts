import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { Gateway } from "./live-gateway.ts";
import { awsLine, configOf, HSM_LINE } from "./two-providers.ts";
import { bindingAt, createKey, decrypt, encrypt, getKey, getProvider } from "./use-keys.ts";

describe("the name of a provider", { timeout: 60_000 }, () => {
  let fake: AwsKmsFake;
  let other: AwsKmsFake;
  let folder: DataFolder;
  let ciphertext: string;
  const start = async (...providers: readonly string[]): Promise<Gateway> =>
    await Gateway.start({ data: folder.path, config: configOf({ providers }) });

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    other = await openAwsKmsFake();
    folder = await openDataFolder();
    await using gateway = await start(awsLine("aws", fake), HSM_LINE);
    await createKey(gateway, { name: "orders" });
    ({ ciphertext } = await encrypt(gateway, "orders", "before"));
  }, 120_000);
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it("must not lead to another key service while wraps are alive: that one is misconfigured, and the others go on", async () => {
    await using gateway = await start(awsLine("aws", other), HSM_LINE);
    expect(await getProvider(gateway, "aws")).toMatchObject({
      status: "misconfigured",
      statusReason: expect.stringMatching(/another key service/u),
    });
    expect((await decrypt(gateway, ciphertext)).text).toBe("before");
    expect((await encrypt(gateway, "orders", "x")).keyVersion).toBe(1);
    expect(other.calls.count("Encrypt")).toBe(0);
    expect((await getKey(gateway, "orders")).replication).toMatchObject({ wanted: 2, ready: 1, missing: ["aws"] });
    const refused = await gateway.ask({
      method: "POST",
      path: "/v1/keys",
      body: { name: "needs-both", custody: { kind: "portable", dedicated: true } },
    });
    expect(refused).toMatchObject({ status: 503, json: { code: "QUORUM_NOT_REACHED" } });
  }, 60_000);

  it("is one of two for one service: the newcomer is misconfigured, the known one goes on", async () => {
    await using gateway = await start(awsLine("again", fake), awsLine("aws", fake), HSM_LINE);
    expect(await getProvider(gateway, "again")).toMatchObject({
      status: "misconfigured",
      statusReason: expect.stringMatching(/same key service/u),
    });
    expect((await getProvider(gateway, "aws")).status).toBe("up");
    expect((await decrypt(gateway, ciphertext)).text).toBe("before");
    const key = await createKey(gateway, {
      name: "on-both-names",
      custody: { holders: ["aws", "again"], minimum: 1, dedicated: true },
    });
    expect(key.replication.ready).toBe(1);
  }, 60_000);

  it("may change: what it is stays known, and its wraps open", async () => {
    await using gateway = await start(
      awsLine("ireland", fake),
      "vault: { kind: local-hsm, folder: hsm, failureDomain: hsm }",
    );
    expect((await getProvider(gateway, "ireland")).status).toBe("up");
    expect((await getProvider(gateway, "vault")).status).toBe("up");
    expect(await decrypt(gateway, ciphertext)).toMatchObject({ text: "before", attempts: 1 });
    expect((await getKey(gateway, "orders")).replication).toMatchObject({ wanted: 2, ready: 2, missing: [] });
    expect((await bindingAt(gateway, "orders", "ireland")).quarantined).toBe(false);
    await createKey(gateway, { name: "under-new-names" });
    expect((await encrypt(gateway, "under-new-names", "x")).attempts).toBe(0); // it shares the branch of the first
    const listed = await gateway.ask({ path: "/v1/keys?provider=ireland" });
    expect((listed.json["items"] as readonly { name: string }[]).map(({ name }) => name)).toEqual([
      "orders",
      "on-both-names",
      "under-new-names",
    ]);
  }, 60_000);

  it("may be swapped with another's of its kind", async () => {
    const swapped = await openDataFolder();
    const hsm = (name: string, path: string): string =>
      `${name}: { kind: local-hsm, folder: ${path}, failureDomain: ${path} }`;
    const startAt = async (...providers: readonly string[]): Promise<Gateway> =>
      await Gateway.start({ data: swapped.path, config: configOf({ providers }) });
    let written: string;
    {
      await using gateway = await startAt(hsm("left", "a"), hsm("right", "b"));
      await createKey(gateway, { name: "orders" });
      written = (await encrypt(gateway, "orders", "before")).ciphertext;
    }
    {
      await using gateway = await startAt(hsm("left", "b"), hsm("right", "a"));
      expect((await getProvider(gateway, "left")).status).toBe("up");
      expect((await getProvider(gateway, "right")).status).toBe("up");
      expect(await decrypt(gateway, written)).toMatchObject({ text: "before", attempts: 1 });
      expect((await getKey(gateway, "orders")).replication).toMatchObject({ ready: 2, missing: [] });
    }
    await swapped[Symbol.asyncDispose]();
  }, 60_000);
});
