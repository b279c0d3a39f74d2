import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { run } from "./run.ts";

describe("serve and init", () => {
  it("get what was typed, and their exit code is the command's", async () => {
    const asked: unknown[] = [];
    const serve = async (options: unknown): Promise<number> => {
      asked.push(options);
      return await Promise.resolve(1);
    };
    expect(await run(["serve"], { offline: { serve } })).toMatchObject({ code: 1, stdout: "", stderr: "" });
    await run("serve --config c.yaml --data d --port 9000 --insecure-http".split(" "), { offline: { serve } });
    expect(asked).toEqual([
      { data: "data", insecureHttp: false },
      { config: "c.yaml", data: "d", port: 9000, insecureHttp: true },
    ]);
    expect(
      await run(["init"], {
        offline: { init: async (options) => await Promise.resolve(options.data === "data" ? 0 : 1) },
      }),
    ).toMatchObject({ code: 0 });
  });
});

describe("open", () => {
  const argv = ["open", "-", "--journal", "j", "--provider", "p", "--context", "a=b"];

  it("writes the plaintext as it was", async () => {
    const plaintext = Buffer.from([0, 255, 10]);
    const asked: unknown[] = [];
    const open = async (options: unknown): Promise<Buffer> => {
      asked.push(options);
      return await Promise.resolve(plaintext);
    };
    expect((await run(argv, { stdin: "clv1.abc\n", offline: { open } })).bytes).toEqual(plaintext);
    expect(asked).toEqual([{ ciphertext: "clv1.abc", journal: "j", provider: "p", context: { a: "b" } }]);
  });

  it.for([
    { code: "CIPHERTEXT_INVALID", exit: 1 },
    { code: "NO_PROVIDER", exit: 3 },
  ] as const)("ends with $exit for $code", async ({ code, exit }) => {
    const open = async (): Promise<Buffer> => await Promise.reject(new KmsError(code, "because", { help: "do this" }));
    const ran = await run(argv, { stdin: "x", offline: { open } });
    expect(ran).toMatchObject({
      code: exit,
      stdout: "",
      stderr: `claviger open: it was not done\n  why:  because (${code})\n  next: do this\n`,
    });
  });
});

describe("audit verify", () => {
  const verdict = {
    ok: true,
    records: 3,
    segments: 1,
    keysFrom: "given",
    anchors: [{ file: "a", found: false }],
    findings: [],
  };
  const chain = { process: "gateway", records: 3, closed: true, unsigned: null, unanchored: { from: 1, to: 3 } };

  it("says what is whole, what is unanchored, and ends with 0", async () => {
    const asked: unknown[] = [];
    const verifyAudit = async (options: unknown): Promise<typeof verdict> => {
      asked.push(options);
      return await Promise.resolve({ ...verdict, chains: [chain] });
    };
    const ran = await run(["audit", "verify", "--public-key", "k.pem", "--anchor", "a"], { offline: { verifyAudit } });
    expect(asked).toEqual([{ folder: "data/audit", publicKeys: ["k.pem"], anchors: ["a"] }]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toBe(
      "the trail is whole: 3 records in 1 segments\nprocess gateway: 3 records, ended in order\n" +
        "  records 1 to 3 are unanchored: who writes the folder could cut them off unseen\nanchor a: not found\n",
    );
  });

  it("names what is wrong and ends with 1", async () => {
    const findings = [{ kind: "edited", file: "f", line: 7, sequence: 7, detail: "it was changed" }];
    const verifyAudit = async () =>
      await Promise.resolve({ ...verdict, ok: false, keysFrom: "folder", chains: [], findings });
    const ran = await run(["audit", "verify", "elsewhere"], { offline: { verifyAudit } });
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("elsewhere is not as it was written") as string,
    });
    expect(ran.stdout).toContain("f:7: edited: it was changed\n");
    expect(ran.stdout).toContain("the public key is the folder's own");
  });

  it("gives the verdict as data, with the same exit code", async () => {
    const verifyAudit = async () => await Promise.resolve({ ...verdict, ok: false });
    const ran = await run(["audit", "verify", "-o", "json"], { offline: { verifyAudit } });
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([1, { ...verdict, ok: false }]);
  });
});
