import { readFile } from "node:fs/promises";
import type { Capabilities, OpenProviderOptions, Provider, ProviderKind } from "#core/provider.ts";
import { identify, probe } from "./canary.ts";
import { hsmCapabilities, vaultCapabilities } from "./capabilities.ts";
import { createCipher } from "./cipher.ts";
import { type KeyVaultClient, openKeyVaultClient } from "./client.ts";
import { openCredentials } from "./credentials.ts";
import { describeKey } from "./describe.ts";
import { faultOf } from "./errors.ts";
import { createImporter } from "./importer.ts";
import { createKeyAdministration } from "./keys.ts";
import { listKeys } from "./list.ts";
import { createMaterialWrapper } from "./material-wrapper.ts";
import {
  type AzureKeyVaultOptions,
  type AzureManagedHsmOptions,
  parseAzureKeyVaultOptions,
  parseAzureManagedHsmOptions,
} from "./options.ts";
import { createPublicKeys } from "./public-keys.ts";
import { createSigner } from "./signer.ts";
import { createWrapper } from "./wrapper.ts";

/** Azure Key Vault: one vault. */
export const azureKeyVault: ProviderKind<AzureKeyVaultOptions> = {
  kind: "azure-key-vault",
  parseOptions: parseAzureKeyVaultOptions,
  open: async ({ options, ...opening }) => {
    const { vault: url, hardwareProtected } = options;
    const service = { kind: azureKeyVault.kind, url, hardwareProtected, capabilities: vaultCapabilities(options) };
    return await openService({ ...opening, options }, service);
  },
};

/** Azure Managed HSM: one HSM, which beside what a vault has has AES keys. */
export const azureManagedHsm: ProviderKind<AzureManagedHsmOptions> = {
  kind: "azure-managed-hsm",
  parseOptions: parseAzureManagedHsmOptions,
  open: async ({ options, ...opening }) => {
    const { hsm: url } = options;
    const service = {
      kind: azureManagedHsm.kind,
      url,
      hardwareProtected: true,
      capabilities: hsmCapabilities(options),
    };
    return await openService({ ...opening, options }, service);
  },
};

type Service = {
  readonly kind: string;
  readonly url: string;
  readonly hardwareProtected: boolean;
  readonly capabilities: Capabilities;
};
type Opening = OpenProviderOptions<AzureKeyVaultOptions | AzureManagedHsmOptions>;

async function openService({ options, sources }: Opening, service: Service): Promise<Provider> {
  const { data, control } = await openPlanes(options, service.url);
  const { clock, scheduler, random } = sources;
  const tools = { ...service, data, control, clock, scheduler };
  const ability = { data, capabilities: service.capabilities };
  const wrapper = createWrapper(ability);
  return {
    kind: service.kind,
    capabilities: service.capabilities,
    identify: async (call) => await identify(tools, call),
    probe: async (canary, call) => {
      await probe({ wrapper, random }, canary, call);
    },
    describe: async (ref, call) => await describeKey(tools, ref, call),
    list: (call) => listKeys(tools, call),
    classify: (error) => faultOf(error),
    renew: () => {
      for (const client of new Set([data, control])) client.renew();
    },
    wrapper,
    keys: createKeyAdministration(tools),
    cipher: createCipher(ability),
    signer: createSigner(ability),
    publicKeys: createPublicKeys(ability),
    importer: createImporter(tools),
    ...(offersMaterialWrapping(service.capabilities) ? { materialWrapper: createMaterialWrapper(ability) } : {}),
    [Symbol.asyncDispose]: async () => {
      for (const client of new Set([data, control])) client.close();
    },
  };
}

function offersMaterialWrapping({ rows }: Capabilities): boolean {
  return rows.some(({ operation }) => operation === "wrap-material");
}

async function openPlanes(
  { ca: path, credentials = {} }: Opening["options"],
  url: string,
): Promise<{ readonly data: KeyVaultClient; readonly control: KeyVaultClient }> {
  const ca = path === undefined ? undefined : await readCertificates(path);
  const data = openKeyVaultClient({ url, ca, openTokens: await openCredentials(credentials.data) });
  if (credentials.control === undefined) return { data, control: data };
  return { data, control: openKeyVaultClient({ url, ca, openTokens: await openCredentials(credentials.control) }) };
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`ca: the file ${path} cannot be read`, { cause: error });
  }
}
