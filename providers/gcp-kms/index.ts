import { readFile } from "node:fs/promises";
import type { OpenProviderOptions, Provider, ProviderKind } from "#core/provider.ts";
import { identify, probe } from "./canary.ts";
import { gcpKmsCapabilities, requirer } from "./capabilities.ts";
import { createCipher } from "./cipher.ts";
import { openKmsClient } from "./client.ts";
import { createKeyEncapsulation } from "./encapsulation.ts";
import { faultOf } from "./errors.ts";
import { createImporter } from "./importer.ts";
import { createKeyAdministration, describeVersion } from "./keys.ts";
import { listKeys } from "./list.ts";
import { createMacSigner } from "./mac.ts";
import { locationOf } from "./names.ts";
import { type GcpKmsOptions, parseGcpKmsOptions } from "./options.ts";
import { createPublicKeys } from "./public-keys.ts";
import { createRandomSource } from "./random-source.ts";
import { createSigner } from "./signer.ts";
import { createWrapper } from "./wrapper.ts";

/** Google Cloud KMS: one key ring. */
export const gcpKms: ProviderKind<GcpKmsOptions> = { kind: "gcp-kms", parseOptions: parseGcpKmsOptions, open };

async function open({ options, sources }: OpenProviderOptions<GcpKmsOptions>): Promise<Provider> {
  const { keyRing, protectionLevel: level, endpoint, credentials = {} } = options;
  const ca = options.ca === undefined ? undefined : await readCertificates(options.ca);
  const data = openKmsClient({ endpoint, ca, credentials: credentials.data });
  const control =
    credentials.control === undefined ? data : openKmsClient({ endpoint, ca, credentials: credentials.control });
  const clients = new Set([data, control]);
  const capabilities = gcpKmsCapabilities(level);
  const requireRow = requirer(capabilities);
  const place = { keyRing, level };
  const { random, scheduler, clock } = sources;
  return {
    kind: gcpKms.kind,
    capabilities,
    identify: async (call) => await identify({ data, control }, place, call),
    probe: async (canary, call) => {
      await probe({ data, random }, canary, call);
    },
    describe: async (ref, call) => await describeVersion(data, ref, call),
    list: (call) => listKeys(control, keyRing, call),
    classify: faultOf,
    renew: () => {
      for (const client of clients) client.renew();
    },
    cipher: createCipher(data, requireRow),
    mac: createMacSigner(data, requireRow),
    signer: createSigner(data, requireRow),
    encapsulation: createKeyEncapsulation(data, requireRow),
    publicKeys: createPublicKeys(data),
    wrapper: createWrapper(data, requireRow),
    keys: createKeyAdministration({ data, control }, place),
    importer: createImporter({ data, control, random, scheduler, clock }, place, requireRow),
    ...(level === "HSM" ? { random: createRandomSource(data, locationOf(keyRing)) } : {}),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await Promise.resolve();
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
