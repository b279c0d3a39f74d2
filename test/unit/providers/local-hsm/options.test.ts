import { describe, expect, it } from "vitest";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";
import { parseLocalHsmOptions } from "#providers/local-hsm/options.ts";

describe("options of a software hsm", () => {
  it.each([undefined, null, {}])("are the defaults where there are none (%j)", (input) => {
    const options = { folder: null, seal: { kind: "file", file: null } };
    expect(parseLocalHsmOptions(input)).toEqual({ ok: true, options });
  });

  it("take a folder and a master key file", () => {
    const options = { folder: "keys", seal: { kind: "file", file: "/run/master.key" } };
    expect(parseLocalHsmOptions({ folder: "keys", seal: { file: "/run/master.key" } })).toEqual({ ok: true, options });
  });

  it.each([{ passphrase: "twelve chars" }, { passphrase: new Secret("twelve chars") }])(
    "take a passphrase, as text or as a secret, and keep it as a secret",
    (seal) => {
      const parsed = parseLocalHsmOptions({ seal });
      if (!parsed.ok || parsed.options.seal.kind !== "passphrase") expect.fail("it was refused");
      expect(unsafeRevealSecret(parsed.options.seal.passphrase)).toBe("twelve chars");
      expect(JSON.stringify(parsed)).not.toContain("twelve");
    },
  );

  it.each([
    { input: 5, path: [], message: "wanted a mapping" },
    { input: { folder: "" }, path: ["folder"], message: "wanted a path, got nothing" },
    { input: { folder: 3 }, path: ["folder"], message: "wanted a path" },
    { input: { folder: "a\0b" }, path: ["folder"], message: "wanted a path, got one with a zero byte" },
    { input: { foldr: "x" }, path: ["foldr"], message: "unknown member" },
    { input: { seal: "x" }, path: ["seal"], message: "wanted { file } or { passphrase }" },
    { input: { seal: {} }, path: ["seal"], message: "wanted either file or passphrase" },
    { input: { seal: { file: "" } }, path: ["seal", "file"], message: "wanted a path, got nothing" },
    { input: { seal: { passphrase: 1 } }, path: ["seal", "passphrase"], message: "wanted a text" },
    {
      input: { seal: { passphrase: "short" } },
      path: ["seal", "passphrase"],
      message: "wanted at least 12 characters",
    },
    {
      input: { seal: { passphrase: new Secret("short") } },
      path: ["seal", "passphrase"],
      message: "wanted at least 12 characters",
    },
    {
      input: { seal: { file: "f", passphrase: "twelve chars" } },
      path: ["seal"],
      message: "wanted either file or passphrase",
    },
  ])("refuse what is wrong at $path: $message", ({ input, path, message }) => {
    expect(parseLocalHsmOptions(input)).toEqual({ ok: false, problems: [{ path, message }] });
  });

  it("tell all problems at once", () => {
    const parsed = parseLocalHsmOptions({ folder: "", seal: { file: "", other: 1 }, kind: "local-hsm" });
    if (parsed.ok) expect.fail("it was taken");
    const paths = parsed.problems.map(({ path }) => path.join("."));
    expect(paths).toEqual(expect.arrayContaining(["folder", "seal.file", "seal.other", "kind"]));
  });
});
