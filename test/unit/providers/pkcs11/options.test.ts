import { describe, expect, it } from "vitest";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";
import { parsePkcs11Options } from "#providers/pkcs11/options.ts";

const GOOD = { module: "/usr/lib/m.so", token: "claviger", pin: "1234" };

describe("the options of a token", () => {
  it("have defaults, and hide the PIN", () => {
    const parsed = parsePkcs11Options({ ...GOOD, pin: new Secret("1234") });
    if (!parsed.ok) expect.fail("it was refused");
    expect(parsed.options).toMatchObject({
      token: { label: "claviger" },
      workers: 2,
      stuckMs: 30_000,
      environment: {},
    });
    expect(unsafeRevealSecret(parsed.options.pin)).toBe("1234");
    expect(JSON.stringify(parsed.options)).not.toContain("1234");
  });

  it("name a token by label or serial number", () => {
    for (const token of [{ label: "x" }, { serial: "9e6a" }])
      expect(parsePkcs11Options({ ...GOOD, token })).toMatchObject({ ok: true, options: { token } });
  });

  it.each([
    ["a relative path", { ...GOOD, module: "m.so" }, "module"],
    ["no module", { token: "x", pin: "1" }, "module"],
    ["no token", { module: "/m.so", pin: "1" }, "token"],
    ["both label and serial", { ...GOOD, token: { label: "x", serial: "y" } }, "token"],
    ["an empty PIN", { ...GOOD, pin: "" }, "pin"],
    ["no workers", { ...GOOD, workers: 0 }, "workers"],
    ["a name that is no variable", { ...GOOD, environment: { "A B": "x" } }, "environment.A B"],
    ["an unknown member", { ...GOOD, slot: 0 }, "slot"],
  ])("are refused with their place: %s", (_, input, path) => {
    const parsed = parsePkcs11Options(input);
    if (parsed.ok) expect.fail("it was taken");
    expect(parsed.problems.map((problem) => problem.path.join("."))).toContain(path);
    expect(JSON.stringify(parsed.problems)).not.toContain("1234");
  });
});
