import { unsafeRevealSecret } from "#core/secret.ts";
import type { TokenSource } from "./client.ts";
import type { AzureCredentials } from "./options.ts";

/** Makes sources of tokens, without a call. Microsoft's own package is loaded where something else than a fixed token is wanted. */
export async function openCredentials(given: AzureCredentials | undefined): Promise<() => TokenSource> {
  if (given !== undefined && "token" in given) return () => fixedToken(unsafeRevealSecret(given.token));
  const { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential, WorkloadIdentityCredential } =
    await import("@azure/identity");
  if (given === undefined) return () => new DefaultAzureCredential();
  if ("managedIdentity" in given) return () => new ManagedIdentityCredential({ ...given.managedIdentity });
  if ("workloadIdentity" in given) {
    const { tokenFile, ...more } = given.workloadIdentity;
    const options = { ...more, ...(tokenFile === undefined ? {} : { tokenFilePath: tokenFile }) };
    return () => new WorkloadIdentityCredential(options);
  }
  const { tenantId, clientId, clientSecret } = given;
  return () => new ClientSecretCredential(tenantId, clientId, unsafeRevealSecret(clientSecret));
}

function fixedToken(token: string): TokenSource {
  return { getToken: async () => await Promise.resolve({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
}
