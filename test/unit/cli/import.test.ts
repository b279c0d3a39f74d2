import { constants, createDecipheriv, createPublicKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Ran, run, type RunOptions } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

const MODULUS_BYTES = 256;
const gatewayPair = generateKeyPairSync("rsa", { modulusLength: MODULUS_BYTES * 8 });
const PARAMETERS = {
  wrappingAlgorithm: "RSA-AES-KWP-SHA256",
  publicKey: gatewayPair.publicKey.export({ format: "der", type: "spki" }).toString("base64"),
  token: "t0ken",
  expireTime: "2026-11-25T00:00:00.000Z",
};
let stub: Stub;
let folder: string;
beforeAll(async () => {
  stub = await startStub();
  folder = await mkdtemp(join(tmpdir(), "claviger-import-"));
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  stub.answer({ body: PARAMETERS }, { body: { name: "k", state: "active" } });
});

const claviger = async (argv: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  await run(argv, { environment: { CLAVIGER_ADDR: stub.address }, cwd: folder, ...options });

type Body = { readonly token?: string; readonly wrapped?: string; readonly activate?: boolean };
const sent = (at: number): Body => JSON.parse(stub.seen[at]?.body ?? "null") as Body;

/** As the gateway does. */
function unwrapped({ wrapped = "" }: Body): Buffer {
  const blob = Buffer.from(wrapped, "base64");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const kek = privateDecrypt(
    { key: gatewayPair.privateKey, padding, oaepHash: "sha256" },
    blob.subarray(0, MODULUS_BYTES),
  );
  const kwp = createDecipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([kwp.update(blob.subarray(MODULUS_BYTES)), kwp.final()]);
}

async function file(name: string, content: string | Buffer, mode = 0o600): Promise<string> {
  await writeFile(join(folder, name), content, { mode });
  return name;
}

describe("keys import", () => {
  it("wraps raw bytes under the gateway's key, and sends them with the token", async () => {
    const secret = Buffer.from([0xff, 0, 0x0a, ...Array.from({ length: 29 }, (_, n) => n)]);
    expect(await claviger(["keys", "import", "a/b", await file("raw", secret)])).toMatchObject({ code: 0, stderr: "" });
    expect(stub.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /v1/keys/a%2Fb/import-parameters",
      "POST /v1/keys/a%2Fb/import",
    ]);
    expect(sent(1)).toEqual({ token: "t0ken", wrapped: expect.any(String) as string });
    expect(unwrapped(sent(1))).toEqual(secret);
  });

  it("makes DER of PEM, takes DER as it is, and reads stdin", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = privateKey.export({ format: "der", type: "pkcs8" });
    await file("key.pem", privateKey.export({ format: "pem", type: "pkcs8" }));
    await file("sec1.pem", privateKey.export({ format: "pem", type: "sec1" }));
    await file("key.der", der);
    for (const name of ["key.pem", "sec1.pem", "key.der"]) {
      stub.answer({ body: PARAMETERS }, { body: { name: "k" } });
      expect(await claviger(["keys", "import", "k", name])).toMatchObject({ code: 0 });
      expect(unwrapped(sent(1)).equals(der), name).toBe(true);
    }
    stub.answer({ body: PARAMETERS }, { body: { name: "k" } });
    expect(await claviger(["keys", "import", "k", "-"], { stdin: der })).toMatchObject({ code: 0 });
    expect(unwrapped(sent(1)).equals(der)).toBe(true);
  });

  it("never takes a key from a file that others may read", async () => {
    const ran = await claviger(["keys", "import", "k", await file("exposed", "0123456789abcdef", 0o644)]);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain("(SECRET_EXPOSED)");
    expect(stub.seen).toEqual([]);
  });

  it("says what it wanted of a PEM without a private key that it can read", async () => {
    const pem = createPublicKey(gatewayPair.privateKey).export({ format: "pem", type: "spki" });
    const ran = await claviger(["keys", "import", "k", await file("public.pem", pem)]);
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stderr).toContain("(INVALID_KEY)");
  });

  it("sends what was wrapped elsewhere as it is, in one request", async () => {
    stub.answer({ body: { name: "k" } });
    const blob = Buffer.from([1, 2, 3, 0xff]);
    await file("blob", blob);
    const ran = await claviger(["keys", "import", "k", "--wrapped", "blob", "--token", "t", "--no-activate"]);
    expect(ran).toMatchObject({ code: 0 });
    expect(stub.seen).toHaveLength(1);
    expect(sent(0)).toEqual({ token: "t", wrapped: blob.toString("base64"), activate: false });
  });

  it("takes a file or what was wrapped elsewhere, and not both", async () => {
    await file("one", "0123456789abcdef");
    const ran = await claviger(["keys", "import", "k", "one", "--wrapped", "blob", "--token", "t"]);
    expect(ran).toMatchObject({ code: 2 });
    expect(stub.seen).toEqual([]);
  });
});

describe("keys import-parameters", () => {
  it("prints them, and writes the public key as PEM for openssl where it is told a file", async () => {
    stub.answer({ body: PARAMETERS });
    const ran = await claviger(["keys", "import-parameters", "k", "--out", "gateway.pem", "-o", "name"]);
    expect(ran).toMatchObject({ code: 0, stdout: "t0ken\n" });
    const pem = await readFile(join(folder, "gateway.pem"), "utf8");
    expect(createPublicKey(pem).equals(gatewayPair.publicKey)).toBe(true);
    expect((await stat(join(folder, "gateway.pem"))).mode & 0o777).toBe(0o600);
    const again = await claviger(["keys", "import-parameters", "k", "--out", "gateway.pem"]);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("(EEXIST)");
  });
});
