import { describe, expect, it } from "vitest";
import { classifyPkcs11, CKR_FAULTS, Pkcs11Error } from "#providers/pkcs11/errors.ts";

const of = (code: number) => classifyPkcs11(new Pkcs11Error({ code, text: "" }));

describe("what a module's code means", () => {
  it.each([
    [0x5, "OUTAGE", "CKR_GENERAL_ERROR"],
    [0x68, "STATE", "CKR_KEY_FUNCTION_NOT_PERMITTED"],
    [0x82, "NOT_FOUND", "CKR_OBJECT_HANDLE_INVALID"],
    [0xa0, "CREDENTIALS", "CKR_PIN_INCORRECT"],
    [0xa4, "CREDENTIALS", "CKR_PIN_LOCKED"],
    [0xb1, "THROTTLED", "CKR_SESSION_COUNT"],
    [0x112, "INVALID", "CKR_WRAPPED_KEY_LEN_RANGE"],
    [0x201, "EXHAUSTED", "CKR_TOKEN_RESOURCE_EXCEEDED"],
    [0x7, "INTERNAL", "CKR_0x7"],
  ])("0x%s", (code, failure, nativeCode) => {
    expect(of(code)).toMatchObject({ failure, nativeCode });
  });

  it("is a sentence for an operator where somebody must act, and names no PIN", () => {
    for (const code of [0xa0, 0xa3, 0xa4, 0x102]) expect(of(code).detail).toMatch(/ PIN\b/u);
    expect(of(0xa0).detail).toContain("not tried again");
    expect(of(0xa4).detail).toContain("security officer");
  });

  it("has a name that is said once", () => {
    const names = Object.values(CKR_FAULTS).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("is none where the module was not asked", () => {
    const binding = new Pkcs11Error({ trouble: "no-binding", text: "pkcs11js is not there" });
    expect(classifyPkcs11(binding)).toEqual({ failure: "INTERNAL", detail: "pkcs11js is not there" });
    const gone = new Pkcs11Error({ trouble: "gone", text: "the process has ended" });
    expect(classifyPkcs11(gone)).toMatchObject({ failure: "OUTAGE", answered: false });
  });
});
