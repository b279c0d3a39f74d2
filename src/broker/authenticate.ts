import type { Principal } from "#core/access.ts";
import type { Catalog, Store } from "#core/catalog.ts";
import type { Clock } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import type { ClientRecord, CredentialRecord } from "#core/records.ts";
import { isInForce } from "./credentials.ts";

/** One text for every credential that does not count, whatever is wrong with it. */
export function unauthenticated(): KmsError {
  return new KmsError("UNAUTHENTICATED", "wanted a valid credential", {
    help: "send Authorization: Bearer with an API key of this gateway, or present a client certificate that is enrolled",
  });
}

/** What a caller proves: the base64 SHA-256 of a secret, or the canonical subject of a certificate that TLS has verified. */
export type Proof = { readonly digest: string } | { readonly subject: string };

type AuthenticateParts = { readonly catalog: Catalog; readonly store: Store; readonly clock: Clock };

/**
 * Who a credential belongs to. From memory; what is not there is looked for in the feed once. Notes that it was used.
 * The client of the answer has the person who acts with this credential, which is not always the one who made the client.
 * @throws {KmsError} `UNAUTHENTICATED`
 */
export function authenticate(parts: AuthenticateParts, proof: Proof): Principal | Promise<Principal> {
  const found = findPrincipal(parts, proof);
  if (found !== undefined) return found;
  return parts.store.refresh().then(() => {
    // whatever this refresh brought: one that was under way may have brought it
    const late = findPrincipal(parts, proof);
    if (late === undefined) throw unauthenticated();
    return late;
  });
}

function findPrincipal({ catalog, store, clock }: AuthenticateParts, proof: Proof): Principal | undefined {
  const now = clock.now();
  const credential = findCredential(catalog, proof, now);
  if (credential === undefined || !isInForce(credential, now)) return undefined;
  const client = catalog.client(credential.client);
  if (client === undefined || (client.expireTime !== null && now >= client.expireTime)) return undefined;
  store.noteUse(credential.id, now);
  return { client: actingAs(client, credential), credentialId: credential.id };
}

function findCredential(catalog: Catalog, proof: Proof, now: number): CredentialRecord | undefined {
  if ("digest" in proof) return catalog.credentialByDigest(proof.digest);
  return catalog.credentialsBySubject(proof.subject).find((credential) => isInForce(credential, now));
}

function actingAs(client: ClientRecord, { person }: CredentialRecord): ClientRecord {
  return client.person === person ? client : { ...client, person };
}
