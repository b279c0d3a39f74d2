import type { IncomingMessage } from "node:http";
import type { Proof } from "#broker/authenticate.ts";
import type { BrokerParts } from "#broker/parts.ts";
import { apiKeyDigest } from "#http/api-key.ts";
import type { PeerCertificates } from "#http/peer-certificates.ts";

/**
 * What a request proves. An Authorization header speaks for its request, whatever certificate the connection has: a mesh or a proxy in front may have one
 * of its own. A header that does not count is not made good by a certificate.
 */
export function proofOf(
  request: IncomingMessage,
  { catalog, sources }: BrokerParts,
  peers: PeerCertificates,
): Proof | undefined {
  if (request.headers.authorization === undefined) {
    const subject = peers.subjectOf(request, sources.clock.now());
    return subject === undefined ? undefined : { subject };
  }
  const digest = apiKeyDigest(request, (one) => catalog.credentialByDigest(one) !== undefined);
  return digest === undefined ? undefined : { digest };
}
