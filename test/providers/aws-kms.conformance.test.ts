import { afterAll } from "vitest";
import type { NativeRef } from "#core/records.ts";
import { AWS_KMS_CAPABILITIES } from "#providers/aws-kms/capabilities.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { makeForeignKey, openAt, UNKNOWN_REF } from "./aws-kms.ts";

const fake = await openAwsKmsFake();
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
});

/** What AWS does is not known. With real ciphertexts: test/unit/providers/aws-kms/state-of-use.test.ts. */
const GARBAGE_FIRST = "the fake refuses what is no ciphertext before it looks at the key's state";

providerSuite({
  name: "aws-kms",
  capabilities: AWS_KMS_CAPABILITIES,
  open: async () => await openAt(fake.endpoint),
  unknownRef: UNKNOWN_REF,
  advance: (ms) => {
    fake.advance(ms);
  },
  foreignKey: async (): Promise<NativeRef> => await makeForeignKey(fake.endpoint),
  sizes: { listedKeys: 101, flippedBits: 300 }, // one more than a page of aliases
  decline: {
    "every declared use of a disabled key is refused as STATE": GARBAGE_FIRST,
    "every declared use of a key whose destruction is scheduled is refused as STATE, and so are enable and disable":
      GARBAGE_FIRST,
  },
  isThrowaway: true,
});
