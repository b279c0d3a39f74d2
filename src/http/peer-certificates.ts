import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { SubjectAlternativeNameExtension, X509Certificate as ParsedCertificate } from "@peculiar/x509";
import { canonicalSubject, subjectOfLines } from "#core/subject-name.ts";

/** Who a client is by the certificate of its connection, which TLS has verified. */
type Peer = { readonly subject: string; readonly startTime: number; readonly endTime: number };

/** Why a certificate is refused: for the log, and never for whoever presented it. */
export type PeerRefusal = {
  /** OpenSSL's name of it, such as `CERT_HAS_EXPIRED`. */
  readonly code: string;
  readonly reason: string;
  /** What it says of itself, which nobody vouches for. */
  readonly subject: string;
  readonly address: string;
};

/** The certificates that the open connections of a listener have presented. */
export class PeerCertificates {
  #peers = new WeakMap<object, Peer>();

  /** Looks at a connection once its handshake is over; a refusal is to be followed by the end of the connection. */
  admit(socket: TLSSocket): PeerRefusal | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined; // such a client has another credential, or none
    if (!socket.authorized) return refusalOf(socket, certificate);
    const subject = subjectOf(certificate);
    if (subject === undefined) return undefined;
    const { validFrom, validTo } = certificate;
    this.#peers.set(socket, { subject, startTime: Date.parse(validFrom), endTime: Date.parse(validTo) });
    return undefined;
  }

  /** The canonical subject of whoever sends the request; undefined without a certificate, or when its time is over meanwhile. */
  subjectOf({ socket }: Pick<IncomingMessage, "socket">, now: number): string | undefined {
    const peer = this.#peers.get(socket);
    return peer === undefined || now < peer.startTime || now >= peer.endTime ? undefined : peer.subject;
  }

  /** Forgets who everybody is: the authorities have changed, and connections from before must be made again. */
  forget(): void {
    this.#peers = new WeakMap();
  }
}

/**
 * The name of a certificate: its `spiffe://` id where it has one, its RFC 4514 subject otherwise. Undefined if it has no name, or a SPIFFE id beside
 * another URI, which no SPIFFE certificate has (X.509-SVID § 2).
 */
export function subjectOf(certificate: Pick<X509Certificate, "raw" | "subject">): string | undefined {
  const uris = urisOf(certificate.raw);
  if (uris === undefined) return undefined;
  if (!uris.some((uri) => /^spiffe:/iu.test(uri))) return subjectOfLines(certificate.subject);
  const [only = "", ...others] = uris;
  return others.length === 0 ? canonicalSubject(only) : undefined;
}

function urisOf(raw: Buffer): readonly string[] | undefined {
  try {
    const names = new ParsedCertificate(raw).getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    return names.filter(({ type }) => type === "url").map(({ value }) => value);
  } catch {
    return undefined; // OpenSSL reads more than the parser does: such a certificate names nobody
  }
}

const UNKNOWN_AUTHORITY = "no authority of the bundle has signed it";
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  INVALID_PURPOSE: "it is not for TLS clients",
};
const MAX_TOLD = 256;

function refusalOf(socket: TLSSocket, certificate: X509Certificate): PeerRefusal {
  const code = String(socket.authorizationError);
  return {
    code,
    reason: REASONS[code] ?? "it does not verify",
    subject: (subjectOf(certificate) ?? certificate.subject).slice(0, MAX_TOLD),
    address: socket.remoteAddress ?? "unknown",
  };
}
