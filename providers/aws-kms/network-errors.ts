/** Whether an error is one of the network: a connection that was not made, or that broke. */
export function hasNoAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || "path" in error) return false; // with a path it is one of the file system
  const code = codeOf(error);
  if (code === undefined) return error.name === "TimeoutError";
  // Node's own codes for wrong arguments start with ERR_ too; they are faults of ours.
  return CODE.test(code) && (!code.startsWith("ERR_") || NETWORK.test(code));
}

const CODE = /^[A-Z][A-Z0-9_]+$/u;
const NETWORK = /^ERR_(?:TLS|SSL|SOCKET|STREAM)_/u;

/**
 * Whether the request cannot have reached the service, so that a mutation certainly was not made: no name, no connection, no
 * certificate that we trust. When in doubt it may have.
 */
export function isNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  // The SDK's connect timeout has no code; its request timeout has, and its timeout of idle sockets is off (client.ts).
  if (code === undefined) return error.name === "TimeoutError";
  if (error instanceof AggregateError) return true; // every address was tried, and none answered
  const { syscall } = error as { syscall?: unknown };
  if (syscall === "connect" || syscall === "getaddrinfo") return true;
  // OpenSSL's verdicts on certificates, such as CERT_HAS_EXPIRED, are the only ones that do not start with E or HPE.
  return code.startsWith("ERR_TLS_") || !/^(?:E|HPE_)/u.test(code);
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
