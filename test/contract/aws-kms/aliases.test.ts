import { describe, expect } from "vitest";
import { aliasName, contract, createKey, expectFailure, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const aliasesOf = async (KeyId: string): Promise<readonly (string | undefined)[]> =>
  ((await kms.listAliases({ KeyId })).Aliases ?? []).map((alias) => alias.AliasName);

describe("AWS KMS aliases", () => {
  contract("an alias is listed with its key and dates", async () => {
    const { id, arn } = await createKey(kms);
    const AliasName = aliasName("listed");
    await kms.createAlias({ AliasName, TargetKeyId: arn });
    expect((await kms.listAliases({ KeyId: id })).Aliases).toStrictEqual([
      {
        AliasName,
        AliasArn: arn.replace(/key\/.*$/, AliasName),
        TargetKeyId: id,
        CreationDate: expect.any(Date),
        LastUpdatedDate: expect.any(Date),
      },
    ]);
  });

  contract("an alias moves to another key, and old ciphertexts still open", async () => {
    const [key, next] = [await createKey(kms), await createKey(kms)];
    const KeyId = aliasName("moving");
    await kms.createAlias({ AliasName: KeyId, TargetKeyId: key.id });
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") });
    await kms.updateAlias({ AliasName: KeyId, TargetKeyId: next.id });
    expect((await kms.encrypt({ KeyId, Plaintext: Buffer.from("x") })).KeyId).toBe(next.arn);
    expect((await kms.decrypt({ CiphertextBlob })).KeyId).toBe(key.arn);
    expect(await aliasesOf(key.id)).toStrictEqual([]);
  });

  contract("an alias cannot move to a key of another usage", async () => {
    const key = await createKey(kms);
    const mac = await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const AliasName = aliasName("usage");
    await kms.createAlias({ AliasName, TargetKeyId: key.id });
    const call = kms.updateAlias({ AliasName, TargetKeyId: mac.id });
    await expectFailure(call, "ValidationException");
  });

  contract("an alias is made once", async () => {
    const { id } = await createKey(kms);
    const AliasName = aliasName("once");
    await kms.createAlias({ AliasName, TargetKeyId: id });
    const again = kms.createAlias({ AliasName, TargetKeyId: id });
    await expectFailure(again, "AlreadyExistsException");
  });

  contract("a deleted alias names nothing, and can be made again", async () => {
    const { id } = await createKey(kms);
    const AliasName = aliasName("deleted");
    await kms.createAlias({ AliasName, TargetKeyId: id });
    await kms.deleteAlias({ AliasName });
    await expectFailure(kms.describeKey({ KeyId: AliasName }), "NotFoundException");
    await expectFailure(kms.deleteAlias({ AliasName }), "NotFoundException");
    await kms.createAlias({ AliasName, TargetKeyId: id });
    expect(await aliasesOf(id)).toStrictEqual([AliasName]);
  });

  contract("a name without the prefix is refused", async () => {
    const { id } = await createKey(kms);
    await expectFailure(
      kms.createAlias({ AliasName: "contract", TargetKeyId: id }),
      "ValidationException",
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  });

  contract("the names of AWS are reserved", async () => {
    const { id } = await createKey(kms);
    const call = kms.createAlias({ AliasName: "alias/aws/contract", TargetKeyId: id });
    await expectFailure(call, "NotAuthorizedException");
  });

  contract("an alias of a missing key cannot be made", async () => {
    const TargetKeyId = "11111111-2222-4333-8444-555555555555";
    const call = kms.createAlias({ AliasName: aliasName("missing"), TargetKeyId });
    await expectFailure(call, "NotFoundException");
  });

  contract("ListAliases pages through every alias once", async () => {
    const { id } = await createKey(kms);
    const names = ["page-1", "page-2", "page-3"].map(aliasName);
    for (const AliasName of names) await kms.createAlias({ AliasName, TargetKeyId: id });
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.listAliases({ Limit: 2, ...(Marker !== undefined && { Marker }) });
      expect(page.Aliases?.length).toBeLessThanOrEqual(2);
      found.push(...(page.Aliases ?? []).map((alias) => present(alias.AliasName)));
      Marker = page.Truncated === true ? present(page.NextMarker) : undefined;
    } while (Marker !== undefined);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toStrictEqual(expect.arrayContaining(names));
  });

  contract("ListAliases shows the aliases of AWS, which have no key yet", async () => {
    const { Aliases } = await kms.listAliases({ Limit: 100 });
    const owned = Aliases?.filter((alias) => alias.AliasName?.startsWith("alias/aws/") === true) ?? [];
    expect(owned.some((alias) => alias.TargetKeyId === undefined)).toBe(true);
  });
});
