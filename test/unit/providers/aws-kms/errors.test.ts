import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { FAILURES, ProviderError } from "#core/failures.ts";
import { call, faultOfRejected, openProvider } from "./open.ts";
import { serve } from "./serve.ts";
import { AWS_FAULTS, credentialsFault, faultOf, isUnread } from "#providers/aws-kms/errors.ts";

describe("the table of errors", () => {
  const exported = Object.entries(sdk)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof sdk.KMSServiceException)
    .map(([name]) => name);

  it("has a row for every error that the sdk exports", () => {
    expect(exported.length).toBeGreaterThan(45);
    expect(exported.filter((name) => !Object.hasOwn(AWS_FAULTS, name))).toEqual([]);
  });

  it.for(exported)("%s is told by its name, though the wire says 400", async (name) => {
    const body = JSON.stringify({ __type: `com.amazonaws.kms#${name}`, message: "says more than it should" });
    const provider = await openProvider({ endpoint: await serve(() => ({ status: 400, body })) });
    const fault = await faultOfRejected(provider, provider.describe("arn", call()));
    expect(fault).toEqual({ ...AWS_FAULTS[name as keyof typeof AWS_FAULTS], nativeCode: name });
  });

  it("says its details in lower case and without a full stop", () => {
    for (const { failure, detail } of Object.values(AWS_FAULTS)) {
      expect(FAILURES).toHaveProperty(failure);
      expect(detail).toMatch(/^[a-z][a-z0-9 ,']*[a-z0-9]$/u);
    }
  });

  it("tells no reason why a ciphertext does not open", () => {
    expect(AWS_FAULTS.IncorrectKeyException).toEqual(AWS_FAULTS.InvalidCiphertextException);
  });
});

/** An error as the SDK throws it for an answer. */
function answered(name: string, { status = 400, headers = {} }: { status?: number; headers?: object } = {}): Error {
  const error = Object.assign(new Error("says more than it should"), {
    name,
    $fault: status < 500 ? "client" : "server",
    $metadata: { httpStatusCode: status, requestId: "r-1" },
  });
  Object.defineProperty(error, "$response", { value: { statusCode: status, headers }, enumerable: false });
  return error;
}

describe("an answer of the service's", () => {
  it("goes by its name, whatever its status says", () => {
    expect(faultOf(answered("ThrottlingException", { status: 400 }))).toEqual({
      failure: "THROTTLED",
      nativeCode: "ThrottlingException",
      requestId: "r-1",
      detail: "too many requests",
    });
    expect(faultOf(answered("NotFoundException", { status: 503 })).failure).toBe("NOT_FOUND");
  });

  it.for([
    { name: "InvalidAction", status: 400, failure: "INTERNAL" },
    { name: "FromTheFuture", status: 404, failure: "INTERNAL" },
    { name: "FromTheFuture", status: 503, failure: "OUTAGE" },
    { name: "FromTheFuture", status: 501, failure: "OUTAGE" },
  ] as const)("with the unknown code $name and status $status is $failure", ({ name, status, failure }) => {
    expect(faultOf(answered(name, { status }))).toMatchObject({ failure, nativeCode: name });
  });

  it.for([
    { name: "Unknown", status: 401, failure: "CREDENTIALS" },
    { name: "Unknown", status: 403, failure: "DENIED" },
    { name: "Unknown", status: 429, failure: "THROTTLED" },
    { name: "Unknown", status: 408, failure: "OUTAGE" },
    { name: "Unknown", status: 404, failure: "INTERNAL" },
    { name: "Unknown", status: 302, failure: "OUTAGE" },
    { name: "SyntaxError", status: 200, failure: "OUTAGE" },
    { name: "SyntaxError", status: 403, failure: "DENIED" },
    { name: "SyntaxError", status: 502, failure: "OUTAGE" },
  ] as const)("without a code ($name) goes by its status: $status is $failure", ({ name, status, failure }) => {
    const fault = faultOf(answered(name, { status }));
    expect(fault.failure).toBe(failure);
    expect(fault).not.toHaveProperty("nativeCode");
    expect(fault).not.toHaveProperty("answered");
  });

  it("that breaks off is an outage, whatever its status", () => {
    const cut = Object.assign(answered("Error", { status: 400 }), { code: "ECONNRESET" });
    expect(faultOf(cut).failure).toBe("OUTAGE");
  });

  it("gives the wait of its Retry-After", () => {
    const throttled = answered("ThrottlingException", { headers: { "retry-after": "3" } });
    expect(faultOf(throttled)).toMatchObject({ failure: "THROTTLED", retryAfterMs: 3000 });
  });

  it("does not say the service's own text", () => {
    expect(JSON.stringify(faultOf(answered("ValidationException")))).not.toContain("more than it should");
  });
});

/** An error of Node's, as the system or OpenSSL gives it. */
function broken(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code, ...more });
}

const connectTimeout = Object.assign(new Error("no connection"), { name: "TimeoutError" });
const requestTimeout = Object.assign(new Error("no answer"), { name: "TimeoutError", code: "ETIMEDOUT" });

describe("no answer", () => {
  it.for([
    { name: "connection refused", error: broken("ECONNREFUSED", { syscall: "connect" }) },
    { name: "all addresses refused", error: Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }) },
    { name: "connect timeout of the system", error: broken("ETIMEDOUT", { syscall: "connect" }) },
    { name: "connect timeout of the SDK", error: connectTimeout },
    { name: "unknown host", error: broken("ENOTFOUND", { syscall: "getaddrinfo" }) },
    { name: "name server away", error: broken("EAI_AGAIN", { syscall: "getaddrinfo" }) },
    { name: "certificate expired", error: broken("CERT_HAS_EXPIRED") },
    { name: "certificate of a stranger", error: broken("DEPTH_ZERO_SELF_SIGNED_CERT") },
    { name: "certificate of another host", error: broken("ERR_TLS_CERT_ALTNAME_INVALID") },
  ])("$name: an outage, of a mutation too, because it was never sent", ({ error }) => {
    const outage = { failure: "OUTAGE", answered: false };
    expect(faultOf(error)).toMatchObject(outage);
    expect(faultOf(error, { mutates: true })).toMatchObject(outage);
  });

  it.for([
    { name: "reset", error: broken("ECONNRESET") },
    { name: "broken pipe", error: broken("EPIPE", { syscall: "write" }) },
    { name: "route lost", error: broken("EHOSTUNREACH", { syscall: "read" }) },
    { name: "request timeout of the SDK", error: requestTimeout },
    { name: "no HTTP", error: broken("HPE_INVALID_CONSTANT") },
    { name: "TLS alert", error: broken("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR") },
  ])("$name: an outage, and of a mutation an unknown outcome", ({ error }) => {
    expect(faultOf(error)).toMatchObject({ failure: "OUTAGE", answered: false });
    expect(faultOf(error, { mutates: true })).toMatchObject({ failure: "UNKNOWN_OUTCOME", answered: false });
  });

  it("an error of the service inside is an unknown outcome of a mutation", () => {
    const fault = faultOf(answered("KMSInternalException", { status: 500 }), { mutates: true });
    expect(fault).toMatchObject({ failure: "UNKNOWN_OUTCOME", nativeCode: "KMSInternalException" });
    expect(fault).not.toHaveProperty("answered");
  });
});

describe("classify", () => {
  it("gives the fault of a ProviderError as it is", () => {
    const fault = { failure: "STATE", detail: "the key is disabled" } as const;
    expect(faultOf(new ProviderError(fault))).toBe(fault);
  });

  const hostile = new Proxy(new Error("x"), {
    get() {
      throw new Error("no");
    },
  });
  it.for([
    ["undefined", undefined],
    ["null", null],
    ["a text", "ThrottlingException"],
    ["a number", 503],
    ["an object", {}],
    ["an error of ours", new TypeError("x")],
    ["a wrong argument", broken("ERR_INVALID_ARG_TYPE")],
    ["an error whose members throw", hostile],
    ["a name from the prototype", Object.assign(new Error("x"), { name: "toString" })],
  ] as const)("names %s INTERNAL", ([, error]) => {
    expect(faultOf(error).failure).toBe("INTERNAL");
  });

  it("names an abort CANCELLED", () => {
    expect(faultOf(new DOMException("x", "AbortError"))).toMatchObject({ failure: "CANCELLED", answered: false });
  });
});

describe("credentials that cannot be had", () => {
  it.for([
    {
      name: "no source",
      error: Object.assign(new Error("x"), { name: "CredentialsProviderError" }),
      failure: "CREDENTIALS",
    },
    { name: "role refused", error: answered("AccessDenied", { status: 403 }), failure: "CREDENTIALS" },
    { name: "token file missing", error: broken("ENOENT", { path: "/x", syscall: "open" }), failure: "CREDENTIALS" },
    { name: "token endpoint down", error: broken("ECONNREFUSED", { syscall: "connect" }), failure: "OUTAGE" },
    { name: "token endpoint broken", error: answered("InternalFailure", { status: 500 }), failure: "OUTAGE" },
  ] as const)("are $failure without an answer: $name", ({ error, failure }) => {
    expect(credentialsFault(error)).toMatchObject({ failure, answered: false });
  });
});

it("an answer that could not be read is told from an error that the service declared", () => {
  const unread = new SyntaxError("x");
  Object.defineProperty(unread, "$response", { value: { statusCode: 200 } });
  expect(isUnread(unread)).toBe(true);
  expect(isUnread(answered("ThrottlingException"))).toBe(false);
  expect(isUnread(broken("ECONNRESET"))).toBe(false);
});
