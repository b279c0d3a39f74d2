import { EXIT, Failure } from "./failure.ts";
import { codeOf } from "./secret-file.ts";

/** Codes of a connection that ended under a request: whether the request was done is not known. */
const BROKEN: readonly string[] = ["ECONNRESET", "EPIPE", "ECONNABORTED"];

/** Codes by which a server shows that it is not the one we trust (node:tls, X.509 certificate error codes). */
const DISTRUST: readonly RegExp[] = [
  /CERT/u,
  /SIGNATURE/u,
  /^ERR_TLS/u,
  /^ERR_SSL/u,
  /^EPROTO$/u,
  /^HOSTNAME_MISMATCH$/u,
  /CHAIN/u,
];

export function isBrokenConnection(error: unknown): boolean {
  return BROKEN.includes(codeOf(error));
}

/** Why there is no answer: the server is not trusted, did not answer in time, or cannot be reached. */
export function connectionFailure(
  error: unknown,
  { address, requestId, withCertificate = false }: { address: URL; requestId: string; withCertificate?: boolean },
): Failure {
  const code = codeOf(error);
  const host = address.host;
  if (DISTRUST.some((pattern) => pattern.test(code))) {
    const text = {
      what: `the server at ${host} is not trusted`,
      code,
      why: "its TLS certificate or protocol does not fit",
      requestId,
    };
    return new Failure(
      EXIT.refused,
      { ...text, next: "name the gateway's authority with --cacert or CLAVIGER_CACERT" },
      error,
    );
  }
  if (isTimeout(error)) {
    const text = {
      what: `no answer from ${host}`,
      code: "TIMEOUT",
      why: "the gateway did not answer in time",
      requestId,
    };
    return new Failure(EXIT.unavailable, { ...text, next: "look whether it was done, and try again" }, error);
  }
  const isBroken = isBrokenConnection(error);
  const why = isBroken ? "the connection broke, twice" : "the gateway cannot be reached";
  const text = {
    what: `no answer from ${host}`,
    code,
    why,
    // a gateway says on the wire nothing of a certificate that it refuses
    next:
      isBroken && withCertificate
        ? "look into the gateway's log for CLIENT_CERTIFICATE_REFUSED: it may have refused the client certificate"
        : "npx claviger doctor tells more; is the gateway running?",
    requestId,
  };
  return new Failure(EXIT.unavailable, text, error);
}

/** node:http rejects with an AbortError whose cause is the signal's reason. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.name === "TimeoutError";
}
