import { DisableKeyCommand, EnableKeyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { eventually } from "./eventually.ts";
import { Gateway } from "./live-gateway.ts";
import { awsLine, configOf, HSM_LINE, PATIENT } from "./two-providers.ts";
import {
  type BindingBody,
  bindingAt,
  createKey,
  decrypt,
  type Decrypted,
  encrypt,
  getKey,
  getProvider,
  probeProvider,
} from "./use-keys.ts";

const NAMES = ["refused", "other-bytes", "disabled", "gone", "denied", "all-denied", "both-bad"] as const;
type Name = (typeof NAMES)[number];

describe("a wrap that does not open at its provider", { timeout: 60_000 }, () => {
  let fake: AwsKmsFake;
  let folder: DataFolder;
  let gateway: Gateway;
  let kms: KMSClient;
  const ciphertexts = new Map<string, string>();
  const open = async (name: Name): Promise<Decrypted> => await decrypt(gateway, ciphertexts.get(name) ?? "");
  const atAws = async (name: Name): Promise<BindingBody> => await bindingAt(gateway, name, "aws");
  const recipientOf = async (name: Name): Promise<string> => (await atAws(name)).nativeRef;
  const quarantined = async (name: Name): Promise<BindingBody> =>
    await eventually(`the wrap of ${name} is quarantined`, 5000, async () => {
      const binding = await atAws(name);
      return binding.quarantined ? binding : undefined;
    });
  const alarms = (binding: string): readonly string[] =>
    gateway.log.split("\n").filter((line) => line.includes('"kind":"quarantine"') && line.includes(binding));

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    folder = await openDataFolder();
    const { region, endpoint } = fake;
    kms = new KMSClient({ region, endpoint, credentials: { accessKeyId: "test", secretAccessKey: "test" } });
    const config = configOf({ providers: [awsLine("aws", fake), HSM_LINE], resilience: PATIENT });
    gateway = await Gateway.start({ data: folder.path, config });
    for (const name of NAMES) {
      await createKey(gateway, { name, custody: { dedicated: true } });
      ciphertexts.set(name, (await encrypt(gateway, name, `of ${name}`)).ciphertext);
    }
    await gateway.stop();
    gateway = await Gateway.start({ data: folder.path, config });
  }, 120_000);
  afterAll(async () => {
    kms.destroy();
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  it("is quarantined when aws calls it an invalid ciphertext, and used again when a person asks and it opens", async () => {
    fake.faults.add({ kind: "invalid-ciphertext", operation: "Decrypt" });
    expect(await open("refused")).toMatchObject({ text: "of refused", attempts: 2 });
    const binding = await quarantined("refused");
    expect(binding.lastError).toMatch(/^bad-wrap: InvalidCiphertextException/u);
    expect(alarms(binding.id)).toHaveLength(1);
    expect((await getKey(gateway, "refused")).replication).toMatchObject({ wanted: 2, ready: 1, missing: ["aws"] });

    fake.faults.add({ kind: "invalid-ciphertext", operation: "Decrypt" });
    using recipient = fake.faults.add({ kind: "invalid-ciphertext", operation: "Decrypt" });
    await probeProvider(gateway, "aws"); // the canary does not open either: nothing is tried
    expect((await atAws("refused")).quarantined).toBe(true);
    recipient[Symbol.dispose]();

    await probeProvider(gateway, "aws");
    expect((await atAws("refused")).quarantined).toBe(false);
    expect((await getKey(gateway, "refused")).replication).toMatchObject({ ready: 2, missing: [] });
  });

  it("is refused when it opens to other bytes", async () => {
    fake.faults.add({ kind: "wrong-plaintext", operation: "Decrypt" });
    expect((await open("other-bytes")).text).toBe("of other-bytes");
    const binding = await quarantined("other-bytes");
    expect(binding.lastError).toMatch(/^bad-wrap/u);
    expect(alarms(binding.id)).toHaveLength(1);
  });

  it("is quarantined while its recipient is disabled in aws", async () => {
    const KeyId = await recipientOf("disabled");
    await kms.send(new DisableKeyCommand({ KeyId }));
    expect((await open("disabled")).text).toBe("of disabled");
    expect((await quarantined("disabled")).lastError).toMatch(/^state: DisabledException/u);
    await probeProvider(gateway, "aws");
    expect((await atAws("disabled")).quarantined).toBe(true);
    await kms.send(new EnableKeyCommand({ KeyId }));
    await probeProvider(gateway, "aws");
    expect((await atAws("disabled")).quarantined).toBe(false);
  });

  it("is quarantined when its recipient is not found", async () => {
    fake.faults.add({ kind: "not-found", operation: "Decrypt" });
    expect((await open("gone")).text).toBe("of gone");
    expect((await quarantined("gone")).lastError).toMatch(/^not-found: NotFoundException/u);
  });

  it("is quarantined when access to its recipient alone is denied", async () => {
    const KeyId = await recipientOf("denied");
    const statement = (Effect: string, Action: string) => ({ Effect, Action, Principal: { AWS: "*" }, Resource: "*" });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [statement("Allow", "kms:*"), statement("Deny", "kms:Decrypt")],
    });
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
    expect((await open("denied")).text).toBe("of denied");
    expect((await quarantined("denied")).lastError).toMatch(/^denied: AccessDeniedException/u);
  });

  it("is left alone when access is denied to the canary too: that is our standing", async () => {
    using _ = fake.faults.add({ kind: "access-denied", repeat: "forever" });
    expect((await open("all-denied")).text).toBe("of all-denied");
    await eventually("somebody is told of the credentials", 5000, () =>
      gateway.log.includes('"kind":"credentials"') ? true : undefined,
    );
    expect((await atAws("all-denied")).quarantined).toBe(false);
  });

  it("leaves an integrity failure where no recipient is left, and never other plaintext", async () => {
    using _ = fake.faults.add({ kind: "wrong-plaintext", operation: "Decrypt" });
    await gateway.ask({ method: "POST", path: "/v1/providers/hsm/drain", body: { reason: "the test" } });
    const answer = await gateway.ask({
      method: "POST",
      path: "/v1/decrypt",
      body: { ciphertext: ciphertexts.get("both-bad") },
    });
    expect(answer).toMatchObject({ status: 500, json: { code: "INTEGRITY_FAILURE" } });
    await gateway.ask({ method: "POST", path: "/v1/providers/hsm/restore", body: {} });
    await eventually("it opens through the hsm", 5000, async () =>
      (await open("both-bad").catch(() => undefined))?.text === "of both-bad" ? true : undefined,
    );
    expect((await getProvider(gateway, "aws")).status).not.toBe("misconfigured");
  });
});
