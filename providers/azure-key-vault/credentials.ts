import { unsafeRevealSecret } from "#core/secret.ts";
import type { TokenSource } from "./client.ts";
import type { AzureCredentials, WorkloadIdentity } from "./options.ts";

/**
 * Each source tries once. `ManagedIdentityCredential` else takes up to a minute, and of its instances the first in the process decides
 * for all (providers.md 3.7): one is made at the opening already.
 */
const ONCE = { retryOptions: { maxRetries: 0 } } as const;

/**
 * Makes sources of tokens, without a call. Absent credentials are Azure's default chain, which reads the environment by itself.
 * Microsoft's own package is loaded where something else than a fixed token is wanted.
 *
 * @throws {Error} a sentence for an operator, where the source says at once that something is missing.
 */
export async function openCredentials(given: AzureCredentials | undefined): Promise<() => TokenSource> {
  const make = await makerOf(given);
  let unused: TokenSource | undefined = made(make);
  return () => {
    const source = unused ?? make();
    unused = undefined;
    return source;
  };
}

async function makerOf(given: AzureCredentials | undefined): Promise<() => TokenSource> {
  if (given !== undefined && "token" in given) return () => fixedToken(unsafeRevealSecret(given.token));
  const { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential, WorkloadIdentityCredential } =
    await import("@azure/identity");
  if (given === undefined) return () => new DefaultAzureCredential(ONCE);
  if ("managedIdentity" in given) return () => new ManagedIdentityCredential({ ...ONCE, ...given.managedIdentity });
  if ("workloadIdentity" in given) {
    const options = { ...ONCE, ...workloadOptions(given.workloadIdentity) };
    return () => new WorkloadIdentityCredential(options);
  }
  const { tenantId, clientId, clientSecret } = given;
  return () => new ClientSecretCredential(tenantId, clientId, unsafeRevealSecret(clientSecret), ONCE);
}

function workloadOptions({ tokenFile, ...ids }: WorkloadIdentity) {
  return { ...ids, ...(tokenFile === undefined ? {} : { tokenFilePath: tokenFile }) };
}

/** The SDK's own words may have many lines; the first says what is missing. */
function made(make: () => TokenSource): TokenSource {
  try {
    return make();
  } catch (error) {
    const [reason = ""] = error instanceof Error ? error.message.split("\n", 1) : [];
    throw new Error(`credentials: azure's source of tokens cannot be set up: ${reason}`, { cause: error });
  }
}

function fixedToken(token: string): TokenSource {
  return { getToken: async () => await Promise.resolve({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
}
