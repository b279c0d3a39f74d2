import { expect } from "vitest";
import type { ErrorCode } from "#core/errors.ts";

/** A matcher for a KmsError of one code. */
export function kmsError(code: ErrorCode, message?: RegExp): unknown {
  const text = message === undefined ? {} : { publicMessage: expect.stringMatching(message) as unknown };
  return expect.objectContaining({ name: "KmsError", code, ...text });
}
