import { afterAll, describe, expect, it } from "vitest";
import { openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import {
  aliasName,
  contract,
  createClient,
  createKey,
  expectFailure,
  onFake,
  openSubject,
  present,
} from "./subject.ts";

const kms = await openSubject();
const Plaintext = Buffer.from("attack at dawn");
const DAY_MS = 86_400_000;

const stateOf = async (KeyId: string): Promise<string | undefined> =>
  (await kms.describeKey({ KeyId })).KeyMetadata?.KeyState;
const pending = async (): Promise<{ readonly id: string; readonly arn: string }> => {
  const key = await createKey(kms);
  await kms.scheduleKeyDeletion({ KeyId: key.id, PendingWindowInDays: 7 });
  return key;
};

describe("AWS KMS key states", () => {
  contract("a disabled key does nothing until it is enabled", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    await kms.disableKey({ KeyId });
    expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({ KeyState: "Disabled", Enabled: false });
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "DisabledException", `${arn} is disabled.`);
    await expectFailure(kms.decrypt({ KeyId, CiphertextBlob }), "DisabledException");
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256" }), "DisabledException");
    await kms.enableKey({ KeyId });
    expect(Buffer.from(present((await kms.decrypt({ KeyId, CiphertextBlob })).Plaintext))).toStrictEqual(Plaintext);
  });

  contract("a disabled key takes no rotation", async () => {
    const { id: KeyId } = await createKey(kms);
    await kms.disableKey({ KeyId });
    await expectFailure(kms.enableKeyRotation({ KeyId }), "DisabledException");
  });

  contract("Decrypt without a key id says Disabled too", async () => {
    const { id: KeyId } = await createKey(kms);
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    await kms.disableKey({ KeyId });
    await expectFailure(kms.decrypt({ CiphertextBlob }), "DisabledException");
  });

  contract("ReEncrypt needs both keys enabled", async () => {
    const [from, to] = [await createKey(kms), await createKey(kms)];
    const { CiphertextBlob } = await kms.encrypt({ KeyId: from.id, Plaintext });
    const call = async (): Promise<unknown> =>
      await kms.reEncrypt({ CiphertextBlob, SourceKeyId: from.id, DestinationKeyId: to.id });
    await kms.disableKey({ KeyId: to.id });
    await expectFailure(call(), "DisabledException");
    await kms.enableKey({ KeyId: to.id });
    await kms.disableKey({ KeyId: from.id });
    await expectFailure(call(), "DisabledException");
  });

  contract("deletion is scheduled 7 to 30 days ahead", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    for (const PendingWindowInDays of [6, 31]) {
      await expectFailure(kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays }), "ValidationException");
    }
    const answer = await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    const days = (present(answer.DeletionDate).getTime() - Date.now()) / DAY_MS;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
    const { KeyMetadata } = await kms.describeKey({ KeyId });
    expect(KeyMetadata).toMatchObject({
      KeyState: "PendingDeletion",
      Enabled: false,
      DeletionDate: answer.DeletionDate,
    });
    if (onFake) expect(answer).toMatchObject({ KeyId: arn, KeyState: "PendingDeletion", PendingWindowInDays: 7 });
  });

  contract("the default window is 30 days", async () => {
    const { id: KeyId } = await createKey(kms);
    const { DeletionDate } = await kms.scheduleKeyDeletion({ KeyId });
    expect(Math.round((present(DeletionDate).getTime() - Date.now()) / DAY_MS)).toBe(30);
  });

  contract("a key pending deletion does nothing", async () => {
    const { id: KeyId } = await createKey(kms);
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    await kms.scheduleKeyDeletion({ KeyId });
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "KMSInvalidStateException");
    await expectFailure(kms.decrypt({ KeyId, CiphertextBlob }), "KMSInvalidStateException");
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256" }), "KMSInvalidStateException");
  });

  const refused = {
    "cannot be enabled": async (KeyId: string) => await kms.enableKey({ KeyId }),
    "cannot be scheduled again": async (KeyId: string) => await kms.scheduleKeyDeletion({ KeyId }),
    "cannot be tagged": async (KeyId: string) =>
      await kms.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] }),
    "cannot be described anew": async (KeyId: string) => await kms.updateKeyDescription({ KeyId, Description: "x" }),
    "gets no alias": async (TargetKeyId: string) =>
      await kms.createAlias({ AliasName: aliasName("pending"), TargetKeyId }),
  } as const;
  for (const [what, call] of Object.entries(refused)) {
    contract(`a key pending deletion ${what}`, async () => {
      const { id, arn } = await pending();
      await expectFailure(call(id), "KMSInvalidStateException", `${arn} is pending deletion.`);
    });
  }

  contract("a cancelled deletion leaves the key disabled", async () => {
    const { id: KeyId, arn } = await pending();
    expect((await kms.cancelKeyDeletion({ KeyId })).KeyId).toBe(arn);
    expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({ KeyState: "Disabled" });
    expect((await kms.describeKey({ KeyId })).KeyMetadata?.DeletionDate).toBeUndefined();
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "DisabledException");
    await kms.enableKey({ KeyId });
    await kms.encrypt({ KeyId, Plaintext });
  });

  contract("only a scheduled deletion can be cancelled", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const call = kms.cancelKeyDeletion({ KeyId });
    await expectFailure(call, "KMSInvalidStateException", `${arn} is not pending deletion.`);
    expect(await stateOf(KeyId)).toBe("Enabled");
  });
});

describe.runIf(onFake)("time in the AWS KMS fake", async () => {
  const fake = await openAwsKmsFake({ clock: { now: () => Date.UTC(2026, 0, 1) } });
  const own = createClient(fake.endpoint);
  afterAll(async () => {
    own.destroy();
    await fake[Symbol.asyncDispose]();
  });

  it("a key is gone with its aliases at its date, not before", async () => {
    const { id: KeyId, arn } = await createKey(own);
    const { CiphertextBlob } = await own.encrypt({ KeyId, Plaintext });
    await own.createAlias({ AliasName: "alias/gone", TargetKeyId: KeyId });
    const { DeletionDate } = await own.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    expect(DeletionDate).toStrictEqual(new Date(Date.UTC(2026, 0, 8)));
    fake.advance(7 * DAY_MS - 1);
    expect((await own.describeKey({ KeyId: "alias/gone" })).KeyMetadata?.KeyState).toBe("PendingDeletion");
    fake.advance(1);
    await expectFailure(own.describeKey({ KeyId }), "NotFoundException", `Key '${arn}' does not exist`);
    await expectFailure(own.describeKey({ KeyId: "alias/gone" }), "NotFoundException");
    await expectFailure(own.decrypt({ KeyId, CiphertextBlob }), "NotFoundException");
    await expectFailure(own.decrypt({ CiphertextBlob }), "AccessDeniedException");
    expect((await own.listKeys({})).Keys).toStrictEqual([]);
    const { Aliases } = await own.listAliases({});
    expect(Aliases?.filter((alias) => alias.TargetKeyId !== undefined)).toStrictEqual([]);
  });

  it("changes are seen after the propagation time", async () => {
    fake.propagationMs = 5_000;
    const { id: KeyId } = await createKey(own);
    await expectFailure(own.describeKey({ KeyId }), "NotFoundException");
    expect((await own.listKeys({})).Keys).toStrictEqual([]);
    fake.advance(5_000);
    await own.encrypt({ KeyId, Plaintext });
    await own.disableKey({ KeyId });
    await own.createAlias({ AliasName: "alias/late", TargetKeyId: KeyId });
    fake.advance(4_999);
    await own.encrypt({ KeyId, Plaintext });
    await expectFailure(own.describeKey({ KeyId: "alias/late" }), "NotFoundException");
    fake.advance(1);
    await expectFailure(own.encrypt({ KeyId: "alias/late", Plaintext }), "DisabledException");
    fake.reset();
  });

  it("a key can be shown in a state that no call leads to", async () => {
    const { id: KeyId, arn } = await createKey(own);
    fake.forceState(KeyId, "Unavailable");
    const { KeyMetadata } = await own.describeKey({ KeyId });
    expect(KeyMetadata).toMatchObject({ KeyState: "Unavailable", Enabled: false });
    await expectFailure(own.encrypt({ KeyId, Plaintext }), "KMSInvalidStateException", `${arn} is unavailable.`);
    fake.forceState(KeyId, undefined);
    await own.encrypt({ KeyId, Plaintext });
  });

  it("a key beyond the limit is refused", async () => {
    fake.reset();
    fake.keyLimit = 1;
    await createKey(own);
    await expectFailure(own.createKey({}), "LimitExceededException");
    fake.reset();
    await createKey(own);
  });
});
