import { afterAll } from "vitest";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { gcpKmsCapabilities } from "#providers/gcp-kms/capabilities.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { createClient, createRing } from "../contract/gcp-kms/subject.ts";
import { openGcpKmsFake } from "../fakes/gcp-kms/fake.ts";
import { makeForeignKey, openAt, UNKNOWN_REF } from "./gcp-kms.ts";
import { triedRows } from "./tried-rows.ts";

const fake = await openGcpKmsFake();
const kms = createClient(fake);
await createRing(kms);
await kms.close();
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
});

const protectionLevel = "SOFTWARE";
providerSuite({
  name: `gcp-kms ${protectionLevel}`,
  capabilities: gcpKmsCapabilities(protectionLevel),
  open: async () => await openAt(fake, { protectionLevel }),
  unknownRef: UNKNOWN_REF,
  advance: (ms) => {
    fake.advance(ms);
  },
  foreignKey: async () => await makeForeignKey(fake),
  sizes: { flippedBits: 24, cuts: 12 }, // the fake is asked over a socket: each costs a request
  tried: triedRows,
  imported: ALGORITHM_NAMES.filter((name) => name.startsWith("RSA-")),
  isThrowaway: true,
});
