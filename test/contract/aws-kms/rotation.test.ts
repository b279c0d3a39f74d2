import { afterAll, describe, expect, it } from "vitest";
import { openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import { contract, createClient, createKey, expectFailure, onFake, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const Plaintext = Buffer.from("attack at dawn");
const DAY_MS = 86_400_000;
const materialOf = async (KeyId: string): Promise<string | undefined> =>
  (await kms.describeKey({ KeyId })).KeyMetadata?.CurrentKeyMaterialId;

describe("AWS KMS rotation", () => {
  contract("automatic rotation is switched on and off", async () => {
    const { id: KeyId } = await createKey(kms);
    expect((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(false);
    await kms.enableKeyRotation({ KeyId });
    expect((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(true);
    await kms.disableKeyRotation({ KeyId });
    expect((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(false);
  });

  contract("the status tells the period and the next date", async () => {
    const { id: KeyId } = await createKey(kms);
    await kms.enableKeyRotation({ KeyId, RotationPeriodInDays: 180 });
    const status = await kms.getKeyRotationStatus({ KeyId });
    expect(status.RotationPeriodInDays).toBe(180);
    expect(Math.round((present(status.NextRotationDate).getTime() - Date.now()) / DAY_MS)).toBe(180);
  });

  contract("a period has 90 to 2560 days", async () => {
    const { id: KeyId } = await createKey(kms);
    for (const RotationPeriodInDays of [89, 2561]) {
      await expectFailure(kms.enableKeyRotation({ KeyId, RotationPeriodInDays }), "ValidationException");
    }
  });

  contract("only symmetric keys rotate", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await expectFailure(kms.enableKeyRotation({ KeyId }), "UnsupportedOperationException");
  });

  contract("a rotation on demand makes new material, and old ciphertexts still open", async () => {
    const { id: KeyId } = await createKey(kms);
    const before = await materialOf(KeyId);
    const old = await kms.encrypt({ KeyId, Plaintext });
    await kms.rotateKeyOnDemand({ KeyId });
    const after = await materialOf(KeyId);
    expect(after).toMatch(/^[0-9a-f]{64}$/);
    expect(after).not.toBe(before);
    const fresh = await kms.encrypt({ KeyId, Plaintext });
    for (const [sealed, material] of [
      [old, before],
      [fresh, after],
    ] as const) {
      const opened = await kms.decrypt({ KeyId, CiphertextBlob: sealed.CiphertextBlob });
      expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(Plaintext);
      expect(opened.KeyMaterialId).toBe(material);
    }
  });

  contract("rotations are listed, and the materials if asked", async () => {
    const { id: KeyId } = await createKey(kms);
    const first = await materialOf(KeyId);
    await kms.rotateKeyOnDemand({ KeyId });
    const second = await materialOf(KeyId);
    const { Rotations } = await kms.listKeyRotations({ KeyId });
    expect(Rotations).toStrictEqual([
      {
        KeyId,
        KeyMaterialId: second,
        KeyMaterialState: "CURRENT",
        RotationDate: expect.any(Date),
        RotationType: "ON_DEMAND",
      },
    ]);
    const all = await kms.listKeyRotations({ KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
    expect(all.Rotations?.map((each) => [each.KeyMaterialId, each.KeyMaterialState])).toStrictEqual([
      [first, "NON_CURRENT"],
      [second, "CURRENT"],
    ]);
  });

  contract("a key is rotated on demand 25 times at most", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    for (let count = 0; count < 25; count += 1) await kms.rotateKeyOnDemand({ KeyId });
    await expectFailure(
      kms.rotateKeyOnDemand({ KeyId }),
      "LimitExceededException",
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
    );
  });
});

describe.runIf(onFake)("automatic rotation in the AWS KMS fake", async () => {
  const fake = await openAwsKmsFake();
  const own = createClient(fake.endpoint);
  afterAll(async () => {
    own.destroy();
    await fake[Symbol.asyncDispose]();
  });

  it("happens when its period has passed, each time", async () => {
    const { id: KeyId } = await createKey(own);
    const { CiphertextBlob } = await own.encrypt({ KeyId, Plaintext });
    await own.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
    fake.advance(181 * DAY_MS);
    const { Rotations } = await own.listKeyRotations({ KeyId });
    expect(Rotations?.map((each) => each.RotationType)).toStrictEqual(["AUTOMATIC", "AUTOMATIC"]);
    await own.decrypt({ KeyId, CiphertextBlob });
  });

  it("is not begun by hand within 20 minutes of its date", async () => {
    const { id: KeyId } = await createKey(own);
    await own.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
    fake.advance(90 * DAY_MS - 60_000);
    await expectFailure(own.rotateKeyOnDemand({ KeyId }), "ConflictException");
  });
});
