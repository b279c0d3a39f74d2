import type { ProviderKind } from "#core/provider.ts";

/**
 * Every kind of key service, by its name in configurations. A kind is loaded when one names it, and its SDK with it. The type of its
 * options is its own: what goes into `open` is what its own `parseOptions` gave.
 */
export const PROVIDER_KINDS: Readonly<Record<string, () => Promise<ProviderKind<unknown>>>> = {
  "aws-kms": async () => (await import("./aws-kms/index.ts")).awsKms,
  "azure-key-vault": async () => (await import("./azure-key-vault/index.ts")).azureKeyVault,
  "azure-managed-hsm": async () => (await import("./azure-key-vault/index.ts")).azureManagedHsm,
  "gcp-kms": async () => (await import("./gcp-kms/index.ts")).gcpKms,
  pkcs11: async () => (await import("./pkcs11/index.ts")).pkcs11,
  "local-hsm": async () => (await import("./local-hsm/index.ts")).localHsm,
};
