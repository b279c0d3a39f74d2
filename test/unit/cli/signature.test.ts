import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Ran, run, type RunOptions } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

let stub: Stub;
let folder: string;
const BYTES = Buffer.from([0, 1, 0xfe, 0xff, 10]);
beforeAll(async () => {
  stub = await startStub();
  folder = await mkdtemp(join(tmpdir(), "claviger-signature-"));
  await writeFile(join(folder, "message"), BYTES);
  await writeFile(join(folder, "message.sig"), Buffer.from("3003020101", "hex"));
  await writeFile(join(folder, "message.sig64"), "MAMCAQE=\n");
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const claviger = async (argv: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  await run(argv, { environment: { CLAVIGER_ADDR: stub.address }, cwd: folder, ...options });
const sent = (): unknown => JSON.parse(stub.seen[0]?.body ?? "null");

describe("sign", () => {
  beforeEach(() => {
    stub.answer({ body: { signature: "MAMCAQE=", kid: "k" } });
  });

  it("takes bytes and gives the signature in one line", async () => {
    expect(await claviger(["sign", "a/b", "message"])).toMatchObject({ code: 0, stdout: "MAMCAQE=\n", stderr: "" });
    expect(stub.seen[0]?.url).toBe("/v1/keys/a%2Fb/sign");
    expect(sent()).toEqual({ message: BYTES.toString("base64") });
  });

  it("takes a digest as bytes, and as the line that sha256sum prints", async () => {
    const digest = hash("sha256", BYTES, "buffer");
    await claviger(["sign", "k", "--digest", "--encoding", "raw"], { stdin: digest });
    expect(sent()).toEqual({ digest: digest.toString("base64"), encoding: "raw" });
    stub.seen.length = 0;
    await claviger(["sign", "k", "--digest"], { stdin: `${digest.toString("hex")}  message\n` });
    expect(sent()).toEqual({ digest: digest.toString("base64") });
  });
});

describe("verify", () => {
  it.for(["MAMCAQE=", "@message.sig", "@message.sig64"])("takes the signature as %s", async (signature) => {
    stub.answer({ body: { valid: true } });
    const argv = ["verify", "k", "message", "--signature", signature, "--kid", "a", "--verify-in", "provider"];
    expect(await claviger(argv)).toMatchObject({ code: 0, stdout: "valid\n", stderr: "" });
    expect(sent()).toEqual({
      message: BYTES.toString("base64"),
      signature: "MAMCAQE=",
      kid: "a",
      verifyIn: "provider",
    });
  });

  it("ends with 1 for a signature that is none of the key's, and says so as data too", async () => {
    stub.answer({ body: { valid: false } });
    const argv = ["verify", "k", "message", "--signature", "AAAA"];
    expect(await claviger(argv)).toMatchObject({ code: 1, stdout: "not valid\n", stderr: "" });
    expect(await claviger([...argv, "-o", "json"])).toMatchObject({ code: 1, stdout: '{\n  "valid": false\n}\n' });
  });
});

describe("mac and verify-mac", () => {
  it("are to each other as sign and verify", async () => {
    stub.answer({ body: { mac: "AAAA" } });
    expect(await claviger(["mac", "k", "message"])).toMatchObject({ code: 0, stdout: "AAAA\n" });
    expect(sent()).toEqual({ message: BYTES.toString("base64") });
    stub.answer({ body: { valid: true } });
    expect(await claviger(["verify-mac", "k", "message", "--mac", "AAAA"])).toMatchObject({ stdout: "valid\n" });
    expect(sent()).toEqual({ message: BYTES.toString("base64"), mac: "AAAA" });
  });
});

describe("keys public-key", () => {
  const body = { publicKey: BYTES.toString("base64"), pem: "-----BEGIN PUBLIC KEY-----\n", jwk: { kty: "EC" } };

  it.for<[string, string]>([
    ["pem", "-----BEGIN PUBLIC KEY-----\n"],
    ["jwk", '{"kty":"EC"}\n'],
  ])("prints it as %s", async ([form, text]) => {
    stub.answer({ body });
    expect(await claviger(["keys", "public-key", "k", "--form", form])).toMatchObject({ code: 0, stdout: text });
    expect(stub.seen[0]?.url).toBe("/v1/keys/k/public-key");
  });

  it("prints the set of those that may be trusted", async () => {
    stub.answer({ body: { keys: [] } });
    expect(await claviger(["keys", "public-key", "k", "--form", "jwks"])).toMatchObject({ stdout: '{"keys":[]}\n' });
    expect(stub.seen[0]?.url).toBe("/v1/keys/k/jwks.json");
  });
});

describe("keys show", () => {
  const sentence = async (key: object): Promise<string | undefined> => {
    stub.answer({ body: { name: "k", ...key } });
    return (await claviger(["keys", "show", "k"])).stdout.trimEnd().split("\n").at(-1);
  };

  it("tells of a native key that its provider alone has it", async () => {
    expect(await sentence({ custody: { kind: "native", provider: "aws" } })).toMatch(/^k: held by aws alone/u);
  });

  it("tells of a portable key who can open it, and who cannot yet", async () => {
    const custody = { kind: "portable", holders: ["a", "b"], minimum: 1, dedicated: true };
    expect(await sentence({ custody, replication: { missing: ["b"] } })).toBe(
      "k: sealed in the gateway's database, under a branch key of its own; any one of a can open it (b not yet); it was usable once 1 held it.",
    );
  });
});

describe("completion", () => {
  it.for(["bash", "zsh", "fish"])("of %s knows commands, verbs and options", async (shell) => {
    const { code, stdout } = await claviger(["completion", shell]);
    expect(code).toBe(0);
    for (const word of ["encrypt", "public-key", "cancel-destroy", "confirm-name"]) expect(stdout).toContain(word);
  });

  it.for([
    ["keys ", "create"],
    ["keys cre", "create"],
    ["keys destroy k --conf", "--confirm-name"],
    ["", "encrypt"],
  ])("completes %o with %s in bash", async ([typed = "", wanted]) => {
    const { stdout } = await claviger(["completion", "bash"]);
    const words = ["claviger", ...typed.split(" ")];
    const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _claviger; echo "\${COMPREPLY[@]}"`;
    const bash = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect(bash.stderr).toBe("");
    expect(bash.stdout.split(/\s/u)).toContain(wanted);
  });

  it("refuses another shell", async () => {
    expect((await claviger(["completion", "tcsh"])).code).toBe(2);
  });
});
