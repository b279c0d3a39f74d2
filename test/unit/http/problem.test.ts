import { describe, expect, it } from "vitest";
import { ERROR_CODES, type ErrorCode, KmsError } from "#core/errors.ts";
import { asKmsError, toItemProblem, toProblem } from "#http/problem.ts";

describe("a problem document", () => {
  it("has the members of RFC 9457 and of the interface, and nothing of the cause", () => {
    const error = new KmsError("KEY_HELD", "key orders is held", {
      metadata: { key: "orders", drift: "drf_1" },
      errors: [{ pointer: "/name", code: "conflict", detail: "is held" }],
      help: "adopt or restore it",
      cause: new Error("the database said s3cr3t"),
    });
    expect(toProblem(error, "req_1")).toEqual({
      type: "/docs/errors#KEY_HELD",
      title: ERROR_CODES.KEY_HELD.title,
      status: 409,
      code: "KEY_HELD",
      detail: "key orders is held",
      help: "adopt or restore it",
      retry: "never",
      requestId: "req_1",
      metadata: { key: "orders", drift: "drf_1" },
      errors: [{ pointer: "/name", code: "conflict", detail: "is held" }],
    });
  });

  it("leaves help out where there is none, and carries empty metadata and errors", () => {
    expect(toProblem(new KmsError("NOT_FOUND", "no"), "req_1")).toEqual({
      type: "/docs/errors#NOT_FOUND",
      title: ERROR_CODES.NOT_FOUND.title,
      status: 404,
      code: "NOT_FOUND",
      detail: "no",
      retry: "never",
      requestId: "req_1",
      metadata: {},
      errors: [],
    });
  });

  it.for(Object.keys(ERROR_CODES) as ErrorCode[])("of %s has the status and retry of the table", (code) => {
    const { status, retry, title } = ERROR_CODES[code];
    expect(toProblem(new KmsError(code, "x"), "r")).toMatchObject({
      status,
      retry,
      title,
      type: `/docs/errors#${code}`,
    });
  });

  it("of something that is not ours is INTERNAL, with what was thrown kept inside", () => {
    const thrown = new TypeError("secret is not a function");
    const error = asKmsError(thrown);
    expect(error.cause).toBe(thrown);
    expect(JSON.stringify(toProblem(error, "r"))).not.toContain("secret");
    expect(toProblem(error, "r")).toMatchObject({ status: 500, code: "INTERNAL" });
    const ours = new KmsError("NOT_FOUND", "no");
    expect(asKmsError(ours)).toBe(ours);
  });

  it("of an item has code, status, retry and detail, and errors where there are some", () => {
    expect(toItemProblem(new KmsError("CIPHERTEXT_INVALID", "no"))).toEqual({
      code: "CIPHERTEXT_INVALID",
      status: 400,
      retry: "never",
      detail: "no",
    });
    const errors = [{ pointer: "/plaintext", code: "format", detail: "wanted base64" }] as const;
    expect(toItemProblem(new KmsError("INVALID_ARGUMENT", "no", { errors }))).toMatchObject({ errors });
  });
});
