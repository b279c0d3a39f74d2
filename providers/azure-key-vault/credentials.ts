import { unsafeRevealSecret } from "#core/secret.ts";
import type { TokenSource } from "./client.ts";
import type { AzureCredentials } from "./options.ts";

/**
 * Makes sources of tokens, without a call.
 *
 * @throws {Error} a sentence for an operator, for credentials whose source is not there.
 */
export async function openCredentials(given: AzureCredentials | undefined): Promise<() => TokenSource> {
  if (given !== undefined && "token" in given) return () => fixedToken(unsafeRevealSecret(given.token));
  throw new Error("credentials: this build has no source of tokens but a fixed token, for a service on this machine");
}

function fixedToken(token: string): TokenSource {
  return { getToken: async () => await Promise.resolve({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
}
