import { afterAll } from "vitest";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import type { NativeRef } from "#core/records.ts";
import { AWS_KMS_CAPABILITIES } from "#providers/aws-kms/capabilities.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { makeForeignKey, openAt, UNKNOWN_REF } from "./aws-kms.ts";
import { triedRows } from "./tried-rows.ts";

const fake = await openAwsKmsFake();
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
});

providerSuite({
  name: "aws-kms",
  capabilities: AWS_KMS_CAPABILITIES,
  open: async () => await openAt(fake.endpoint),
  unknownRef: UNKNOWN_REF,
  advance: (ms) => {
    fake.advance(ms);
  },
  foreignKey: async (): Promise<NativeRef> => await makeForeignKey(fake.endpoint),
  sizes: { flippedBits: 24, cuts: 12 }, // the fake is asked over a socket: each costs a request
  tried: triedRows,
  imported: ALGORITHM_NAMES.filter((name) => name.startsWith("RSA-")),
  isThrowaway: true,
});
