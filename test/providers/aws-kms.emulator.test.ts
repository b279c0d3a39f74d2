import { describe, expect, it, onTestFinished } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import { AWS_KMS_CAPABILITIES } from "#providers/aws-kms/capabilities.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { getEmulator, getEmulators } from "../emulators/endpoints.ts";
import { makeForeignKey, openAt, UNKNOWN_REF } from "./aws-kms.ts";

const UNWRAP_REFUSES =
  "unwrap refuses another recipient, another context, and every changed or missing byte, in the same words";
const DECRYPT_REFUSES =
  "AES-256-OPAQUE: decrypt refuses another key, another context, and every changed or missing byte, in the same words";
const PENDING_REFUSES =
  "every declared use of a key whose destruction is scheduled is refused as STATE, and so are enable and disable";
const RESTRICTED =
  "a restricted key protects nothing, opens and checks as before, and protects again once it is enabled";
const SIGNATURE_REFUSES =
  "EC-P256-SHA256: a signature of another message, of another key, or with changed, missing or more bytes is false, not an error";

const HEADER = "does not authenticate the ARN in a blob, and panics over one that ends within its nonce";
const XOR = "encrypts by XOR without integrity";
const MINISTACK = {
  [UNWRAP_REFUSES]: XOR,
  [DECRYPT_REFUSES]: XOR,
  [PENDING_REFUSES]: "enables a key whose deletion is scheduled",
  [RESTRICTED]: "keeps key policies, and lets calls pass that one denies",
};
/** What every emulator has; what one lacks of the others is in localstack/README.md. */
const TRIED: readonly AlgorithmName[] = ["AES-256-OPAQUE", "HMAC-SHA-256", "EC-P256-SHA256", "RSA-2048-PKCS1-SHA256"];
/** What an emulator cannot pass. Measured in November 2026 with local-kms of 2026-02-28 and ministack 1.5.33. */
const DECLINED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "local-kms": {
    [UNWRAP_REFUSES]: HEADER,
    [DECRYPT_REFUSES]: HEADER,
    [RESTRICTED]: "panics over the policy of a key that is not symmetric, and obeys none",
    [SIGNATURE_REFUSES]: "calls a signature that does not parse a wrong usage of the key",
  },
  ministack: MINISTACK,
  "ministack-auth": MINISTACK,
};

for (const { name, endpoint } of getEmulators()) {
  providerSuite({
    name: `aws-kms on ${name}`,
    capabilities: AWS_KMS_CAPABILITIES,
    open: async () => await openAt(endpoint),
    unknownRef: UNKNOWN_REF,
    foreignKey: async () => await makeForeignKey(endpoint),
    tried: ({ operation, algorithm }) => TRIED.includes(algorithm) && operation !== "import",
    sizes: { flippedBits: 200, cuts: 50 },
    isThrowaway: true,
    decline: DECLINED[name] ?? {},
  });
}

describe("aws-kms on local-kms, whose AES-GCM is real", () => {
  const context: Context = { kind: "map", pairs: new Map([["a", "1"]]) };
  const input = { algorithm: "AES-256-OPAQUE", context } as const;

  it("decrypt refuses each changed bit behind the header, another key and another context", async () => {
    const provider = await openAt(getEmulator("local-kms").endpoint);
    onTestFinished(async () => {
      await provider[Symbol.asyncDispose]();
    });
    const { cipher = expect.fail("no cipher") } = provider;
    const [ref, other] = [await createKey(provider, "integrity-1"), await createKey(provider, "integrity-2")];
    const { value } = await cipher.encrypt({ ...input, ref, plaintext: Buffer.from("attack at dawn") }, call());
    const header = 1 + value.readUInt8(0); // the length of the key's ARN, and the ARN
    const changed = Array.from({ length: (value.length - header) * 8 }, (_, bit) => {
      const copy = Buffer.from(value);
      const at = header + (bit >> 3);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << (bit & 7)), at);
      return { ref, ciphertext: copy, context };
    });
    const others = [
      { ref: other, ciphertext: value, context },
      { ref, ciphertext: value, context: { kind: "none" } as const },
      { ref, ciphertext: value.subarray(0, -1), context },
    ];
    for (const attempt of [...changed, ...others]) {
      const error = await cipher.decrypt({ ...input, ...attempt }, call()).catch((caught: unknown) => caught);
      expect(provider.classify(error).failure).toBe("INVALID");
    }
  });
});

describe("aws-kms on ministack-auth, which checks signatures", () => {
  it("an access key that it does not know is CREDENTIALS", async () => {
    const provider = await openAt(getEmulator("ministack-auth").endpoint, { accessKeyId: "AKIAUNKNOWNUNKNOWN00" });
    onTestFinished(async () => {
      await provider[Symbol.asyncDispose]();
    });
    const error = await provider.identify(call()).catch((caught: unknown) => caught);
    expect(provider.classify(error)).toMatchObject({
      failure: "CREDENTIALS",
      nativeCode: "UnrecognizedClientException",
    });
  });
});

async function createKey(provider: Provider, marker: string): Promise<string> {
  return (await provider.keys.create({ algorithm: "AES-256-OPAQUE", marker, description: "" }, call())).ref;
}

function call(): CallContext {
  return { signal: new AbortController().signal, requestId: "req_emulator" };
}
