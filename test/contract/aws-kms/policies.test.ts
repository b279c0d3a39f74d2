import { describe, expect } from "vitest";
import { contract, createKey, expectFailure, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const PolicyName = "default";
const Plaintext = Buffer.from("attack at dawn");
const allow = (arn: string): object => ({
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${arn.split(":")[4]}:root` },
  Action: "kms:*",
  Resource: "*",
});
const policyOf = (...Statement: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });
const denial = (Action: string | readonly string[]): object => ({
  Effect: "Deny",
  Principal: "*",
  Action,
  Resource: "*",
});

describe("AWS KMS key policies", () => {
  contract("a key has a default policy for its account", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const { Policy } = await kms.getKeyPolicy({ KeyId, PolicyName });
    const parsed: unknown = JSON.parse(present(Policy));
    expect(parsed).toMatchObject({ Version: "2012-10-17", Statement: [allow(arn)] });
  });

  contract("a policy that was put is the one that is read", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const Policy = policyOf(allow(arn));
    await kms.putKeyPolicy({ KeyId, PolicyName, Policy });
    const read = await kms.getKeyPolicy({ KeyId, PolicyName });
    expect(JSON.parse(present(read.Policy))).toStrictEqual(JSON.parse(Policy));
  });

  contract("a key's only policy is called default", async () => {
    const { id: KeyId } = await createKey(kms);
    expect(await kms.listKeyPolicies({ KeyId })).toMatchObject({ PolicyNames: ["default"], Truncated: false });
  });

  contract("a Deny for everybody refuses its actions alone, and ends with the policy", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const denied = policyOf(allow(arn), denial(["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncryptTo"]));
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    await kms.putKeyPolicy({ KeyId, PolicyName, Policy: denied });
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "AccessDeniedException");
    await expectFailure(kms.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: "AES_256" }), "AccessDeniedException");
    const again = kms.reEncrypt({ CiphertextBlob, SourceKeyId: KeyId, DestinationKeyId: KeyId });
    await expectFailure(again, "AccessDeniedException");
    await kms.decrypt({ KeyId, CiphertextBlob });
    await kms.putKeyPolicy({ KeyId, PolicyName, Policy: policyOf(allow(arn)) });
    await kms.encrypt({ KeyId, Plaintext });
  });

  contract("a key can be born with a Deny", async () => {
    const { arn } = await createKey(kms);
    const { id: KeyId } = await createKey(kms, { Policy: policyOf(allow(arn), denial("kms:Encrypt")) });
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "AccessDeniedException");
  });

  contract("the name of the policy may be left out", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    await kms.putKeyPolicy({ KeyId, Policy: policyOf(allow(arn)) });
    expect(await kms.getKeyPolicy({ KeyId })).toMatchObject({ PolicyName });
  });

  contract("what is no policy is refused", async () => {
    const { id: KeyId } = await createKey(kms);
    for (const Policy of ["no JSON", "{}", '{"Statement":[{"Effect":"Perhaps","Principal":"*","Action":"kms:*"}]}']) {
      await expectFailure(kms.putKeyPolicy({ KeyId, PolicyName, Policy }), "MalformedPolicyDocumentException");
    }
  });

  contract("a policy that nobody could change again is refused, unless it is meant", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const Policy = policyOf(allow(arn), denial("kms:PutKeyPolicy"));
    const call = kms.putKeyPolicy({ KeyId, PolicyName, Policy });
    await expectFailure(
      call,
      "MalformedPolicyDocumentException",
      "The new key policy will not allow you to update the key policy in the future.",
    );
    await kms.putKeyPolicy({ KeyId, PolicyName, Policy, BypassPolicyLockoutSafetyCheck: true });
    await expectFailure(kms.putKeyPolicy({ KeyId, PolicyName, Policy: policyOf(allow(arn)) }), "AccessDeniedException");
  });
});
