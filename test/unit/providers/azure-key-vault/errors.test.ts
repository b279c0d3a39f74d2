import { describe, expect, it } from "vitest";
import { FAILURES, ProviderError } from "#core/failures.ts";
import { AZURE_FAULTS, type CallKind, credentialsFault, faultOf } from "#providers/azure-key-vault/errors.ts";
import type { FaultKind } from "../../../fakes/azure-key-vault/faults.ts";
import { call, faultOfRejected, makeKey, openPair } from "./stand.ts";

type Answer = { readonly status: number; readonly code?: string; readonly inner?: string };

/** An error as the SDK throws it for an answer. */
function answered({ status, code, inner }: Answer): Error {
  const innerError = inner === undefined ? {} : { innerError: { code: inner } };
  const details = code === undefined ? {} : { error: { code, message: "says more than it should", ...innerError } };
  return Object.assign(new Error("says more than it should"), { name: "RestError", statusCode: status, code, details });
}

/** An error as the SDK throws it where there was no answer. */
function unanswered(code: string): Error {
  return Object.assign(new Error("says more than it should"), { name: "RestError", code });
}

describe("the table of errors", () => {
  it("says its details in lower case and without a full stop", () => {
    for (const { failure, detail } of Object.values(AZURE_FAULTS)) {
      expect(FAILURES).toHaveProperty(failure);
      expect(detail).toMatch(/^[a-z][a-z0-9_ ,']*[a-z0-9]$/u);
    }
  });

  it.for([
    [{ status: 403, code: "Forbidden", inner: "KeyDisabled" }, "read", "STATE"],
    [{ status: 403, code: "Forbidden", inner: "KeyExpired" }, "use", "STATE"],
    [{ status: 403, code: "Forbidden", inner: "KeyNotYetValid" }, "use", "STATE"],
    [{ status: 403, code: "Forbidden", inner: "KeyOperationForbidden" }, "use", "DENIED"],
    [{ status: 403, code: "Forbidden", inner: "ForbiddenByRbac" }, "read", "DENIED"],
    [{ status: 403, code: "Forbidden", inner: "SomethingNew" }, "read", "DENIED"],
    [{ status: 403 }, "read", "DENIED"],
    [{ status: 401, code: "Unauthorized" }, "read", "CREDENTIALS"],
    [{ status: 401 }, "read", "CREDENTIALS"],
    [{ status: 404, code: "KeyNotFound" }, "open", "NOT_FOUND"],
    [{ status: 404, code: "SomethingNew" }, "open", "INTERNAL"],
    [{ status: 409, code: "Conflict", inner: "ObjectIsBeingDeleted" }, "change", "UNKNOWN_OUTCOME"],
    [{ status: 409, code: "Conflict", inner: "ObjectIsBeingDeleted" }, "use", "STATE"],
    [{ status: 409, code: "Conflict", inner: "ObjectIsDeletedButRecoverable" }, "change", "UNKNOWN_OUTCOME"],
    [{ status: 409, code: "Conflict" }, "change", "UNKNOWN_OUTCOME"],
    [{ status: 400, code: "BadParameter" }, "open", "INVALID"],
    [{ status: 400, code: "BadParameter" }, "use", "INTERNAL"],
    [{ status: 400, code: "BadParameter" }, "change", "INTERNAL"],
    [{ status: 400 }, "open", "INTERNAL"],
    [{ status: 429, code: "Throttled" }, "use", "THROTTLED"],
    [{ status: 429, code: "SomethingNew" }, "use", "THROTTLED"],
    [{ status: 408 }, "use", "OUTAGE"],
    [{ status: 500, code: "InternalServerError" }, "use", "OUTAGE"],
    [{ status: 500, code: "InternalServerError" }, "change", "UNKNOWN_OUTCOME"],
    [{ status: 502 }, "read", "OUTAGE"],
    [{ status: 503, code: "SomethingNew" }, "read", "OUTAGE"],
  ] as const satisfies readonly (readonly [Answer, CallKind, string])[])(
    "%o on a call that is a %s is %s",
    ([answer, kind, failure]) => {
      const fault = faultOf(answered(answer), kind);
      expect(fault.failure).toBe(failure);
      expect(JSON.stringify(fault)).not.toContain("more than it should");
    },
  );

  it("tells nothing of why bytes do not open, apart from the service's code", () => {
    const { detail } = faultOf(answered({ status: 400, code: "BadParameter" }), "open");
    expect(detail).toBe("the bytes do not open");
  });

  it.for([
    ["ECONNREFUSED", "OUTAGE", "OUTAGE"],
    ["ENOTFOUND", "OUTAGE", "OUTAGE"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "OUTAGE", "OUTAGE"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "OUTAGE", "OUTAGE"],
    ["ECONNRESET", "OUTAGE", "UNKNOWN_OUTCOME"],
    ["REQUEST_SEND_ERROR", "OUTAGE", "UNKNOWN_OUTCOME"],
    ["PARSE_ERROR", "OUTAGE", "UNKNOWN_OUTCOME"],
    ["ERR_INVALID_ARG_TYPE", "INTERNAL", "INTERNAL"],
  ] as const)("%s is %s, and %s of a change", ([code, read, change]) => {
    expect(faultOf(unanswered(code), "read").failure).toBe(read);
    expect(faultOf(unanswered(code), "change").failure).toBe(change);
    expect(faultOf(unanswered(code), "read").answered).toBe(read === "INTERNAL" ? undefined : false);
  });

  it("tells what to do about a certificate, and about a name", () => {
    expect(faultOf(unanswered("DEPTH_ZERO_SELF_SIGNED_CERT")).detail).toMatch(
      /certificate .* does not verify .*check the url/u,
    );
    expect(faultOf(unanswered("ENOTFOUND")).detail).toMatch(/no answer: ENOTFOUND; check the name in the url/u);
  });

  it("goes by the status that was seen where the SDK lost the answer", () => {
    const lost = new TypeError("cannot read properties of undefined");
    expect(faultOf(lost, "read", { status: 403 }).failure).toBe("DENIED");
    expect(faultOf(lost, "use", { status: 429, headers: { "retry-after": "7" } })).toMatchObject({
      failure: "THROTTLED",
      retryAfterMs: 7000,
    });
    expect(faultOf(lost, "change", { status: 200 }).failure).toBe("UNKNOWN_OUTCOME");
    expect(faultOf(lost, "change").failure).toBe("INTERNAL");
    // of two requests the first was answered, and the second was not
    expect(faultOf(unanswered("ECONNRESET"), "change", { status: 404 }).failure).toBe("UNKNOWN_OUTCOME");
  });

  it("keeps what we have named ourselves", () => {
    const fault = { failure: "CHECKSUM", detail: "x" } as const;
    expect(faultOf(new ProviderError(fault))).toBe(fault);
  });
});

describe("the failure to get a token", () => {
  it.for(["CredentialUnavailableError", "AuthenticationError", "AggregateAuthenticationError"])(
    "is CREDENTIALS for %s",
    (name) => {
      const error = Object.assign(new Error("client secret hush is wrong"), { name });
      for (const fault of [credentialsFault(error), faultOf(error)]) {
        expect(fault).toMatchObject({ failure: "CREDENTIALS", nativeCode: name, answered: false });
        expect(JSON.stringify(fault)).not.toContain("hush");
      }
    },
  );

  it("is an OUTAGE where its source is away", () => {
    expect(credentialsFault(unanswered("ENOTFOUND")).failure).toBe("OUTAGE");
    expect(credentialsFault(Object.assign(new Error("x"), { statusCode: 503 })).failure).toBe("OUTAGE");
  });
});

describe("on the wire", () => {
  it.for([
    ["error500", "OUTAGE"],
    ["error-html", "OUTAGE"],
    ["garbage", "OUTAGE"],
    ["lost-answer", "OUTAGE"],
    ["refuse", "OUTAGE"],
    ["reset-mid-body", "OUTAGE"],
    ["access-denied", "DENIED"],
    ["disabled", "STATE"],
    ["not-found", "NOT_FOUND"],
  ] as const satisfies readonly (readonly [FaultKind, string])[])(
    "%s while a key is read is %s, after one try",
    async ([kind, failure]) => {
      const { fake, provider } = await openPair();
      const { ref } = await makeKey(provider);
      fake.calls.clear();
      fake.faults.add({ kind, operation: "GetKey" });
      expect((await faultOfRejected(provider, provider.describe(ref, call()))).failure).toBe(failure);
      expect(fake.calls.count("GetKey")).toBe(1);
    },
  );

  it.for(["error500", "garbage", "lost-answer", "reset-mid-body"] as const)(
    "%s while a key is changed is UNKNOWN_OUTCOME",
    async (kind) => {
      const { fake, provider } = await openPair();
      const { ref } = await makeKey(provider);
      fake.faults.add({ kind, operation: "UpdateKey" });
      expect((await faultOfRejected(provider, provider.keys.disable(ref, call()))).failure).toBe("UNKNOWN_OUTCOME");
    },
  );

  it("throttling tells how long to wait, and which request it was", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    fake.faults.add({ kind: "throttle", operation: "GetKey", retryAfter: 7 });
    const fault = await faultOfRejected(provider, provider.describe(ref, call()));
    expect(fault).toMatchObject({ failure: "THROTTLED", nativeCode: "Throttled", retryAfterMs: 7000 });
    expect(fault.requestId).toBe(fake.calls.of("GetKey").at(-1)?.requestId);
  });

  it("an answer that is a verdict on nobody's bytes holds none of them", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider, "RSA-2048-OAEP-SHA256");
    fake.faults.add({ kind: "error500", operation: "Encrypt" });
    const input = {
      ref,
      algorithm: "RSA-2048-OAEP-SHA256",
      plaintext: Buffer.from("attack"),
      context: { kind: "none" },
    } as const;
    const [outcome] = await Promise.allSettled([provider.cipher.encrypt(input, call())]);
    if (outcome.status === "fulfilled") expect.fail();
    expect((outcome.reason as Error).cause).toBeUndefined();
  });
});
