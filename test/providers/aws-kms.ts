import { randomBytes } from "node:crypto";
// oxlint-disable-next-line no-restricted-imports -- a key that others made is made with the vendor's own client
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { expect } from "vitest";
import type { Sources } from "#core/clock.ts";
import type { Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { Secret } from "#core/secret.ts";
import { awsKms } from "#providers/aws-kms/index.ts";

const region = "us-east-1";
const TEST = { accessKeyId: "test", secretAccessKey: "test" };

/** A key that no account of a fake or an emulator has. */
export const UNKNOWN_REF = "arn:aws:kms:us-east-1:111122223333:key/0193b3a0-0000-7000-8000-000000000000";

/** The adapter before a fake or an emulator. */
export async function openAt(
  endpoint: string,
  { accessKeyId }: { readonly accessKeyId: string } = TEST,
): Promise<Provider> {
  const data = { accessKeyId, secretAccessKey: new Secret(TEST.secretAccessKey) };
  const options = { region, endpoint, credentials: { data } };
  return await awsKms.open({ name: "aws", options, dataFolder: "/nowhere", sources: SOURCES });
}

/** A key of the account that Claviger did not make. */
export async function makeForeignKey(endpoint: string): Promise<NativeRef> {
  const client = new KMSClient({ endpoint, region, maxAttempts: 1, credentials: TEST });
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
  );
  client.destroy();
  return KeyMetadata?.Arn ?? expect.fail("the new key has no arn");
}

const SOURCES: Sources = {
  clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
  random: { bytes: (length) => randomBytes(length), kernelBytes: (length) => randomBytes(length) },
  scheduler: {
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return {
        [Symbol.dispose]: () => {
          clearTimeout(timer);
        },
      };
    },
  },
};
