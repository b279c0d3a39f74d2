import type { Principal } from "#core/access.ts";
import type { Catalog, Store } from "#core/catalog.ts";
import type { Clock } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";

/** One text for every credential that does not count, whatever is wrong with it. */
export function unauthenticated(): KmsError {
  return new KmsError("UNAUTHENTICATED", "wanted a valid credential", {
    help: "send Authorization: Bearer with an API key of this gateway",
  });
}

/**
 * Who a credential belongs to, by the base64 SHA-256 of its secret. From memory; what is not there is looked for in the feed once.
 * @throws {KmsError} `UNAUTHENTICATED`
 */
export function authenticate(
  { catalog, store, clock }: { readonly catalog: Catalog; readonly store: Store; readonly clock: Clock },
  digest: string,
): Principal | Promise<Principal> {
  const found = findPrincipal(catalog, clock, digest);
  if (found !== undefined) return found;
  return store.refresh().then(() => {
    // whatever this refresh brought: one that was under way may have brought it
    const late = findPrincipal(catalog, clock, digest);
    if (late === undefined) throw unauthenticated();
    return late;
  });
}

function findPrincipal(catalog: Catalog, clock: Clock, digest: string): Principal | undefined {
  const credential = catalog.credentialByDigest(digest);
  if (credential === undefined || credential.state !== "active") return undefined;
  const client = catalog.client(credential.client);
  if (client === undefined || hasPassed(clock, credential.expireTime) || hasPassed(clock, client.expireTime))
    return undefined;
  return { client, credentialId: credential.id };
}

function hasPassed(clock: Clock, time: number | null): boolean {
  return time !== null && clock.now() >= time;
}
