import { describe, expect, it } from "vitest";
import { bytes, createKey, expectFailure, expectSum, flip, once, openSubject, sum, SYMMETRIC } from "./subject.ts";

const { kms } = await openSubject();
const data = Buffer.from("attack at dawn");

describe("MacSign and MacVerify of Cloud KMS", () => {
  it.for([
    ["HMAC_SHA224", 28],
    ["HMAC_SHA256", 32],
    ["HMAC_SHA384", 48],
    ["HMAC_SHA512", 64],
  ] as const)("%s gives %i bytes and knows them again", async ([algorithm, length]) => {
    const { version: name } = await createKey(kms, ["MAC", algorithm]);
    const [signed] = await kms.macSign({ name, data, dataCrc32c: sum(data) }, once);
    const mac = bytes(signed.mac);
    expect(mac).toHaveLength(length);
    expectSum(mac, signed.macCrc32c);
    expect(signed).toMatchObject({ name, verifiedDataCrc32c: true, protectionLevel: "SOFTWARE" });
    const [known] = await kms.macVerify({ name, data, dataCrc32c: sum(data), mac, macCrc32c: sum(mac) }, once);
    expect(known).toMatchObject({
      success: true,
      verifiedDataCrc32c: true,
      verifiedMacCrc32c: true,
      verifiedSuccessIntegrity: true,
    });
  });

  it("a wrong tag is no error", async () => {
    const { version: name } = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    const mac = bytes((await kms.macSign({ name, data }, once))[0].mac);
    const [answer] = await kms.macVerify({ name, data, mac: flip(mac, 31) }, once);
    expect(answer).toMatchObject({ success: false, verifiedSuccessIntegrity: false, verifiedMacCrc32c: false });
    await expectFailure(
      kms.macVerify({ name, data, mac, macCrc32c: sum(data) }, once),
      3,
      "The checksum in field mac_crc32c did not match the data in field mac.",
    );
  });

  it("need a version of a MAC key, and data of no more than 64 KiB", async () => {
    await expectFailure(kms.macSign({ name: (await createKey(kms, SYMMETRIC)).version, data }, once), 9);
    const { version: name } = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    await expectFailure(kms.macSign({ name, data: Buffer.alloc(65_537) }, once), 3);
  });
});
