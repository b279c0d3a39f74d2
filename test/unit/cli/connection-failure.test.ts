import { expect, it } from "vitest";
import { connectionFailure, isBrokenConnection } from "#cli/connection-failure.ts";

const place = { address: new URL("https://kms.example.com:8443"), requestId: "cli-1" };
const systemError = (code: string): Error => Object.assign(new Error(code), { code });

it.for([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "EPROTO",
])("%s is a server that we do not trust, and nothing to retry", (code) => {
  const failure = connectionFailure(systemError(code), place);
  expect([failure.exitCode, failure.text.code]).toEqual([1, code]);
  expect(failure.text.next).toContain("--cacert");
});

it.for(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ETIMEDOUT", "ECONNRESET"])(
  "%s is worth retrying",
  (code) => {
    const failure = connectionFailure(systemError(code), place);
    expect([failure.exitCode, failure.text.code, failure.text.requestId]).toEqual([3, code, "cli-1"]);
  },
);

it("a connection that broke under a client certificate may be a refusal of it", () => {
  const nextOf = (code: string, withCertificate: boolean): string =>
    connectionFailure(systemError(code), { ...place, withCertificate }).text.next;
  expect(nextOf("ECONNRESET", true)).toContain("CLIENT_CERTIFICATE_REFUSED");
  expect([nextOf("ECONNRESET", false), nextOf("ECONNREFUSED", true)].join()).not.toContain("CERTIFICATE");
});

it("no answer in time is told as such", () => {
  const aborted = Object.assign(new Error("aborted", { cause: new DOMException("late", "TimeoutError") }), {
    code: "ABORT_ERR",
  });
  expect(connectionFailure(aborted, place)).toMatchObject({ exitCode: 3, text: { code: "TIMEOUT" } });
});

it("only a connection that ended under a request is broken", () => {
  expect(["ECONNRESET", "EPIPE", "ECONNABORTED"].map(systemError).every(isBrokenConnection)).toBe(true);
  expect(["ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED"].map(systemError).some(isBrokenConnection)).toBe(false);
});
