import { describe, expect } from "vitest";
import { contract, createKey, expectFailure, flip, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const Message = Buffer.from("attack at dawn");

describe("AWS KMS message authentication", () => {
  contract("each HMAC key makes MACs of its hash's length that it verifies", async () => {
    for (const bits of [224, 256, 384, 512] as const) {
      const { id: KeyId, arn } = await createKey(kms, {
        KeySpec: `HMAC_${bits}`,
        KeyUsage: "GENERATE_VERIFY_MAC",
      });
      const MacAlgorithm = `HMAC_SHA_${bits}` as const;
      const { Mac, ...rest } = await kms.generateMac({ KeyId, Message, MacAlgorithm });
      expect(rest).toMatchObject({ KeyId: arn, MacAlgorithm });
      expect(Mac).toHaveLength(bits / 8);
      expect(await kms.verifyMac({ KeyId, Message, MacAlgorithm, Mac })).toMatchObject({ MacValid: true });
    }
  });

  contract("a changed message or MAC is an error", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const common = { KeyId, MacAlgorithm: "HMAC_SHA_256" } as const;
    const Mac = present((await kms.generateMac({ ...common, Message })).Mac);
    for (const spoilt of [{ Mac: flip(Mac, 0) }, { Mac: Mac.subarray(1) }, { Message: flip(Message, 0) }]) {
      await expectFailure(kms.verifyMac({ ...common, Message, Mac, ...spoilt }), "KMSInvalidMacException");
    }
  });

  contract("an algorithm of another HMAC spec is refused", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "HMAC_224", KeyUsage: "GENERATE_VERIFY_MAC" });
    await expectFailure(
      kms.generateMac({ KeyId, Message, MacAlgorithm: "HMAC_SHA_256" }),
      "InvalidKeyUsageException",
      "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.",
    );
  });

  contract("a key of another usage makes no MAC", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    await expectFailure(
      kms.generateMac({ KeyId, Message, MacAlgorithm: "HMAC_SHA_256" }),
      "InvalidKeyUsageException",
      `${arn} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac.`,
    );
  });

  contract("a disabled HMAC key makes no MAC", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    await kms.disableKey({ KeyId });
    await expectFailure(kms.generateMac({ KeyId, Message, MacAlgorithm: "HMAC_SHA_256" }), "DisabledException");
  });
});
