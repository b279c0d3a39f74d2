import { describe, expect } from "vitest";
import { aliasName, contract, createKey, expectFailure, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const unknownId = "11111111-2222-4333-8444-555555555555";

describe("AWS KMS keys", () => {
  contract("a new key is described in full", async () => {
    const { KeyMetadata } = await kms.createKey({ Description: "of the contract" });
    const described = await kms.describeKey({ KeyId: present(KeyMetadata?.KeyId) });
    expect(described.KeyMetadata).toStrictEqual(KeyMetadata);
    expect(KeyMetadata).toMatchObject({
      Arn: expect.stringMatching(/^arn:aws:kms:us-east-1:\d{12}:key\/[0-9a-f-]{36}$/),
      CreationDate: expect.any(Date),
      Enabled: true,
      Description: "of the contract",
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: "Enabled",
      Origin: "AWS_KMS",
      KeyManager: "CUSTOMER",
      KeySpec: "SYMMETRIC_DEFAULT",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    });
  });

  contract("a key says that it lives in one Region", async () => {
    const { KeyMetadata } = await kms.createKey({});
    expect(KeyMetadata?.MultiRegion).toBe(false);
  });

  contract("a key names its account", async () => {
    const { KeyMetadata } = await kms.createKey({});
    expect(KeyMetadata?.AWSAccountId).toBe(KeyMetadata?.Arn?.split(":")[4]);
  });

  const specs = [
    ["RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]],
    ["ECC_NIST_P384", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_384"]],
    ["ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]],
    ["HMAC_224", "GENERATE_VERIFY_MAC", "MacAlgorithms", ["HMAC_SHA_224"]],
  ] as const;
  for (const [KeySpec, KeyUsage, field, algorithms] of specs) {
    contract(`a key of ${KeySpec} lists the algorithms of its usage`, async () => {
      const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage });
      expect(KeyMetadata).toMatchObject({ KeySpec, KeyUsage, [field]: algorithms });
    });
  }

  contract("all but symmetric keys need a usage", async () => {
    await expectFailure(
      kms.createKey({ KeySpec: "HMAC_256" }),
      "ValidationException",
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
  });

  contract("a usage that is not of the spec is refused", async () => {
    const call = kms.createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "ENCRYPT_DECRYPT" });
    const message = "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256";
    await expectFailure(call, "ValidationException", message);
  });

  contract("an unknown spec is refused", async () => {
    // @ts-expect-error the enum of the SDK has no such spec
    await expectFailure(kms.createKey({ KeySpec: "DES" }), "ValidationException");
  });

  contract("a key is named by id, key ARN, alias and alias ARN", async () => {
    const { id, arn } = await createKey(kms);
    const AliasName = aliasName("names");
    await kms.createAlias({ AliasName, TargetKeyId: id });
    const aliasArn = arn.replace(/key\/.*$/, AliasName);
    for (const KeyId of [id, arn, AliasName, aliasArn]) {
      expect((await kms.describeKey({ KeyId })).KeyMetadata?.KeyId).toBe(id);
      expect((await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") })).KeyId).toBe(arn);
    }
  });

  contract("a key that is not there is not found", async () => {
    const { arn } = await createKey(kms);
    const missing = arn.replace(/key\/.*$/, `key/${unknownId}`);
    await expectFailure(kms.describeKey({ KeyId: unknownId }), "NotFoundException", `Key '${missing}' does not exist`);
    await expectFailure(kms.encrypt({ KeyId: missing, Plaintext: Buffer.from("x") }), "NotFoundException");
    await expectFailure(kms.describeKey({ KeyId: "alias/never-made" }), "NotFoundException");
  });

  contract("what is no key id is not found either", async () => {
    await expectFailure(kms.describeKey({ KeyId: "fake-key-id" }), "NotFoundException", "Invalid keyId 'fake-key-id'");
  });

  contract("a key ARN of another Region is not found", async () => {
    const { arn } = await createKey(kms);
    const call = kms.describeKey({ KeyId: arn.replace("us-east-1", "ap-southeast-1") });
    await expectFailure(call, "NotFoundException", "Invalid arn ap-southeast-1");
  });

  contract("control operations take no alias", async () => {
    const { id } = await createKey(kms);
    const AliasName = aliasName("control");
    await kms.createAlias({ AliasName, TargetKeyId: id });
    await expectFailure(kms.disableKey({ KeyId: AliasName }), "NotFoundException");
    expect((await kms.describeKey({ KeyId: id })).KeyMetadata?.KeyState).toBe("Enabled");
  });

  contract("a description can be changed", async () => {
    const { id: KeyId } = await createKey(kms, { Description: "before" });
    await kms.updateKeyDescription({ KeyId, Description: "after" });
    expect((await kms.describeKey({ KeyId })).KeyMetadata?.Description).toBe("after");
  });

  contract("ListKeys pages through every key once", async () => {
    const made = [await createKey(kms), await createKey(kms), await createKey(kms)];
    const found: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.listKeys({ Limit: 2, ...(Marker !== undefined && { Marker }) });
      expect(page.Keys?.length).toBeLessThanOrEqual(2);
      expect(page.NextMarker === undefined).toBe(page.Truncated === false);
      found.push(...(page.Keys ?? []).map((key) => key.KeyId));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toStrictEqual(expect.arrayContaining(made.map(({ id }) => id)));
  });

  contract("a marker that no page gave is refused", async () => {
    await expectFailure(kms.listKeys({ Marker: "nonsense" }), "InvalidMarkerException");
  });

  contract("a page has at most 1000 keys", async () => {
    await expectFailure(kms.listKeys({ Limit: 1001 }), "ValidationException");
  });

  contract("tags are set, replaced, removed and listed", async () => {
    const kept = { TagKey: "c", TagValue: "3" };
    const { id: KeyId } = await createKey(kms, { Tags: [{ TagKey: "a", TagValue: "1" }, kept] });
    await kms.tagResource({
      KeyId,
      Tags: [
        { TagKey: "a", TagValue: "2" },
        { TagKey: "b", TagValue: "" },
      ],
    });
    const listed = await kms.listResourceTags({ KeyId });
    expect(listed.Tags?.toSorted((x, y) => (x.TagKey ?? "").localeCompare(y.TagKey ?? ""))).toStrictEqual([
      { TagKey: "a", TagValue: "2" },
      { TagKey: "b", TagValue: "" },
      kept,
    ]);
    await kms.untagResource({ KeyId, TagKeys: ["a", "c", "never there"] });
    expect((await kms.listResourceTags({ KeyId })).Tags).toStrictEqual([{ TagKey: "b", TagValue: "" }]);
  });

  contract("a tag that is reserved for AWS is refused", async () => {
    const { id: KeyId } = await createKey(kms);
    const call = kms.tagResource({ KeyId, Tags: [{ TagKey: "aws:x", TagValue: "1" }] });
    await expectFailure(call, "TagException", "Tags beginning with aws: are reserved");
  });

  contract("a tag that is given twice is refused", async () => {
    const Tags = ["1", "2"].map((TagValue) => ({ TagKey: "a", TagValue }));
    await expectFailure(kms.createKey({ Tags }), "TagException", "Duplicate tag keys");
  });

  contract("a key has at most 50 tags", async () => {
    const Tags = Array.from({ length: 51 }, (_, at) => ({ TagKey: `tag-${at}`, TagValue: "" }));
    await expectFailure(kms.createKey({ Tags }), "TagException", "Too many tags");
  });
});
