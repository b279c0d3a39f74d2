import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Ran, run, type RunOptions } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

let stub: Stub;
let folder: string;
beforeAll(async () => {
  stub = await startStub();
  folder = await mkdtemp(join(tmpdir(), "claviger-crypto-"));
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const claviger = async (argv: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  await run(argv, { environment: { CLAVIGER_ADDR: stub.address }, cwd: folder, ...options });
const sent = (): unknown => JSON.parse(stub.seen[0]?.body ?? "null");

/** Bytes that no text has: each value, invalid UTF-8, and a line feed at the end. */
const BYTES = Buffer.from([...Array.from({ length: 256 }, (_, value) => value), 0xc3, 0x0a]);

describe("encrypt", () => {
  beforeEach(() => {
    stub.answer({ body: { ciphertext: "clv1.abc", keyVersion: 3 } });
  });

  it("takes bytes and gives one line of text", async () => {
    expect(await claviger(["encrypt", "my-key"], { stdin: BYTES })).toMatchObject({
      code: 0,
      stdout: "clv1.abc\n",
      stderr: "",
    });
    expect(stub.seen[0]).toMatchObject({ method: "POST", url: "/v1/keys/my-key/encrypt" });
    expect(sent()).toEqual({ plaintext: BYTES.toString("base64") });
  });

  it("reads a file, stdin for -, and a chunk at a time", async () => {
    await writeFile(join(folder, "note"), BYTES);
    await claviger(["encrypt", "k", "note"]);
    expect(sent()).toEqual({ plaintext: BYTES.toString("base64") });
    stub.seen.length = 0;
    await claviger(["encrypt", "k", "-"], { stdin: [BYTES.subarray(0, 100), BYTES.subarray(100)] });
    expect(sent()).toEqual({ plaintext: BYTES.toString("base64") });
  });

  it("takes nothing for a plaintext too", async () => {
    await claviger(["encrypt", "k"], { stdin: "" });
    expect(sent()).toEqual({ plaintext: "" });
  });

  it("tells its usage to somebody who sits at a terminal, and asks nobody", async () => {
    const ran = await claviger(["encrypt", "k"]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain("usage: npx claviger encrypt [options] <key> [file] (USAGE)");
    expect(stub.seen).toEqual([]);
  });

  it("binds a context, its values as they are", async () => {
    await claviger(["encrypt", "k", "--context", "a=b=c", "--context", "__proto__= x ", "--context=e="], { stdin: "" });
    expect(stub.seen[0]?.body).toBe('{"plaintext":"","context":{"a":"b=c","__proto__":" x ","e":""}}');
  });

  it.for([["a"], ["=a"], ["a=1", "a=2"]])("refuses the context %s", async (pairs) => {
    const ran = await claviger(["encrypt", "k", ...pairs.flatMap((pair) => ["--context", pair])], { stdin: "" });
    expect(ran.code).toBe(2);
    expect(stub.seen).toEqual([]);
  });

  it("gives the whole answer where data is asked for", async () => {
    expect((await claviger(["encrypt", "k", "-o", "json"], { stdin: "" })).stdout).toBe(
      '{\n  "ciphertext": "clv1.abc",\n  "keyVersion": 3\n}\n',
    );
    expect((await claviger(["-o", "yaml", "encrypt", "k"], { stdin: "" })).stdout).toBe(
      "ciphertext: clv1.abc\nkeyVersion: 3\n",
    );
  });

  it("names a file that it cannot read", async () => {
    const ran = await claviger(["encrypt", "k", "nothing-here"]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot read nothing-here") as string });
  });
});

describe("decrypt", () => {
  beforeEach(() => {
    stub.answer({ body: { plaintext: BYTES.toString("base64"), stale: false } });
  });

  it("takes a line of text and gives the bytes as they were", async () => {
    const ran = await claviger(["decrypt"], { stdin: "clv1.abc\n" });
    expect(ran).toMatchObject({ code: 0, bytes: BYTES });
    expect(stub.seen[0]).toMatchObject({ url: "/v1/decrypt", body: '{"ciphertext":"clv1.abc"}' });
  });

  it("asks under a key where one is named", async () => {
    await claviger(["decrypt", "--key", "my-key", "--context", "a=b", "--format", "native", "-"], {
      stdin: " YWJj \r\n",
    });
    expect(stub.seen[0]).toMatchObject({
      url: "/v1/keys/my-key/decrypt",
      body: '{"ciphertext":"YWJj","context":{"a":"b"},"format":"native"}',
    });
  });
});

describe("data-key", () => {
  it("asks for no plaintext that nobody takes", async () => {
    stub.answer({ body: { ciphertext: "clv1.abc" } });
    expect((await claviger(["data-key", "k"])).stdout).toBe("clv1.abc\n");
    expect(sent()).toEqual({ withPlaintext: false });
  });

  it("writes the plaintext into a file of its owner's, and tells it to nobody else", async () => {
    stub.answer({ body: { ciphertext: "clv1.abc", plaintext: BYTES.toString("base64") } });
    const ran = await claviger(["data-key", "k", "--out", "key.bin", "--bytes", "258", "-o", "json"]);
    expect(sent()).toEqual({ bytes: 258, withPlaintext: true });
    expect(JSON.parse(ran.stdout)).toEqual({ ciphertext: "clv1.abc" });
    expect(await readFile(join(folder, "key.bin"))).toEqual(BYTES);
    expect((await stat(join(folder, "key.bin"))).mode & 0o777).toBe(0o600);
  });

  it("overwrites nothing", async () => {
    stub.answer({ body: { ciphertext: "clv1.abc", plaintext: "AAAA" } });
    await writeFile(join(folder, "taken"), "before");
    expect(await claviger(["data-key", "k", "--out", "taken"])).toMatchObject({ code: 1, stdout: "" });
    expect(await readFile(join(folder, "taken"), "utf8")).toBe("before");
  });

  it("writes the ciphertext into a file where one is named", async () => {
    stub.answer({ body: { ciphertext: "clv1.abc" } });
    expect((await claviger(["data-key", "k", "--ciphertext-out", "key.clv"])).stdout).toBe("");
    expect(await readFile(join(folder, "key.clv"), "utf8")).toBe("clv1.abc\n");
  });
});

describe("random", () => {
  it("gives bytes as they are", async () => {
    stub.answer({ body: { bytes: BYTES.toString("base64"), provider: "gateway" } });
    expect((await claviger(["random", "258"])).bytes).toEqual(BYTES);
    expect(sent()).toEqual({ bytes: 258 });
  });

  it.for(["-1", "1.5", "0x10", "", "ten"])("does not take %j for a number", async (text) => {
    expect((await claviger(["random", "--", text])).code).toBe(2);
  });
});
