import { describe, expect, it } from "vitest";
import { FAILURES, ProviderError } from "#core/failures.ts";
import { classifyLocal, invalidBytes, LOCAL_FAULTS, LocalHsmError, unsupported } from "#providers/local-hsm/errors.ts";

const system = (code: string): Error => Object.assign(new Error(`${code}: /secret/path`), { code, syscall: "open" });

describe("faults of a software hsm", () => {
  it.each(Object.entries(LOCAL_FAULTS))("%s is %s, with its code and sentence", (code, failure) => {
    const error = new LocalHsmError(code as keyof typeof LOCAL_FAULTS, "a sentence");
    expect(Object.keys(FAILURES)).toContain(failure);
    expect(classifyLocal(error)).toEqual({ failure, nativeCode: code, detail: "a sentence" });
  });

  it.each([
    { code: "EIO", failure: "OUTAGE" },
    { code: "EACCES", failure: "OUTAGE" },
    { code: "ENOENT", failure: "OUTAGE" },
    { code: "EMFILE", failure: "OUTAGE" },
    { code: "ENOSPC", failure: "EXHAUSTED" },
    { code: "EDQUOT", failure: "EXHAUSTED" },
  ])("$code of the system is $failure, told without the path", ({ code, failure }) => {
    expect(classifyLocal(system(code))).toEqual({ failure, nativeCode: code, detail: `store: ${code} in open` });
  });

  it("a refusal before the call keeps its own fault", () => {
    expect(classifyLocal(unsupported("a thing"))).toEqual({ failure: "INTERNAL", detail: "unsupported: a thing" });
    const fault = { failure: "CHECKSUM", detail: "x" } as const;
    expect(classifyLocal(new ProviderError(fault))).toBe(fault);
  });

  it("bytes that do not open have one sentence", () => {
    expect(classifyLocal(invalidBytes())).toEqual(classifyLocal(invalidBytes()));
    expect(classifyLocal(invalidBytes()).failure).toBe("INVALID");
  });

  it("an error with a code of Node, not of the system, is not an outage", () => {
    expect(classifyLocal(system("ERR_INVALID_ARG_TYPE")).failure).toBe("INTERNAL");
  });
});
