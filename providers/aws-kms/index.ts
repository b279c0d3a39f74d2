import { readFile } from "node:fs/promises";
import type { OpenProviderOptions, Provider, ProviderKind } from "#core/provider.ts";
import { createKeyAgreement } from "./agreement.ts";
import { identify, probe } from "./canary.ts";
import { AWS_KMS_CAPABILITIES } from "./capabilities.ts";
import { createCipher } from "./cipher.ts";
import { openKmsClient } from "./client.ts";
import { describeKey } from "./describe.ts";
import { createKeyEncapsulation } from "./encapsulation.ts";
import { faultOf } from "./errors.ts";
import { createImporter } from "./importer.ts";
import { createKeyAdministration } from "./keys.ts";
import { listKeys } from "./list.ts";
import { createMacSigner } from "./mac.ts";
import { type AwsKmsOptions, parseAwsKmsOptions } from "./options.ts";
import { createPublicKeys } from "./public-keys.ts";
import { createRandomSource } from "./random.ts";
import { createSigner } from "./signer.ts";
import { createWrapper } from "./wrapper.ts";

/** AWS KMS, or what speaks its protocol: one account in one Region. */
export const awsKms: ProviderKind<AwsKmsOptions> = {
  kind: "aws-kms",
  parseOptions: parseAwsKmsOptions,
  open: openAwsKms,
};

async function openAwsKms({ options, sources }: OpenProviderOptions<AwsKmsOptions>): Promise<Provider> {
  const { region, endpoint, credentials = {}, multiRegion = false } = options;
  const ca = options.ca === undefined ? undefined : await readCertificates(options.ca);
  const data = openKmsClient({ region, endpoint, ca, credentials: credentials.data });
  const control =
    credentials.control === undefined
      ? data
      : openKmsClient({ region, endpoint, ca, credentials: credentials.control });
  const clients = new Set([data, control]);
  const { scheduler, random } = sources;
  return {
    kind: awsKms.kind,
    capabilities: AWS_KMS_CAPABILITIES,
    identify: async (call) => await identify({ data, control, scheduler }, call),
    probe: async (canary, call) => {
      await probe({ data, random }, canary, call);
    },
    describe: async (ref, call) => await describeKey(data, ref, call),
    list: (call) => listKeys(control, call),
    classify: (error) => faultOf(error),
    renew: () => {
      for (const client of clients) client.renew();
    },
    cipher: createCipher(data),
    mac: createMacSigner(data),
    signer: createSigner(data),
    agreement: createKeyAgreement(data),
    encapsulation: createKeyEncapsulation(data),
    publicKeys: createPublicKeys(data),
    wrapper: createWrapper(data),
    keys: createKeyAdministration({ data, control, scheduler, multiRegion }),
    importer: createImporter({ data, control, scheduler, multiRegion, random }),
    random: createRandomSource(data),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
    },
  };
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`ca: the file ${path} cannot be read`, { cause: error });
  }
}
