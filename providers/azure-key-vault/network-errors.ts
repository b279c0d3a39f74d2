/** Whether an error is one of the network: a connection that was not made, or that broke. The SDK has a code of its own for most. */
export function hasNoAnswer(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && (SDK_CODES.has(code) || NETWORK.test(code) || CERTIFICATE.test(code));
}

/**
 * Whether the request cannot have reached the service, so that a mutation certainly was not made: no name, no connection, no
 * certificate that we trust. When in doubt it may have.
 */
export function isNeverSent(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && (UNSENT.has(code) || CERTIFICATE.test(code));
}

/** A certificate that does not verify: OpenSSL's verdicts, and Node's on the name. */
export function isCertificateRefused(error: unknown): boolean {
  return CERTIFICATE.test(codeOf(error) ?? "");
}

/** The code of an error, where it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}

/** Of @azure/core-rest-pipeline. */
const SDK_CODES: ReadonlySet<string> = new Set(["REQUEST_SEND_ERROR", "PARSE_ERROR"]);
const NETWORK =
  /^(?:ECONN(?:REFUSED|RESET|ABORTED)|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|EPROTO|HPE_\w+|ERR_(?:TLS|SSL|SOCKET|STREAM)_\w+)$/u;
const UNSENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const CERTIFICATE =
  /^(?:CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)$/u;
