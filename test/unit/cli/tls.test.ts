import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";
import { run } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

let folder: string;
let stub: Stub;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claviger-tls-"));
  const authority = await createLocalAuthority(Date.now());
  await writeFile(join(folder, "ca.pem"), authority.certificate);
  await writeFile(join(folder, "other.pem"), (await createLocalAuthority(Date.now())).certificate);
  const { certificate, key } = await issueServerCertificate(authority, { host: "127.0.0.1", now: Date.now() });
  stub = await startStub({ cert: certificate, key });
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

it("a gateway of the named authority is trusted", async () => {
  stub.answer({ body: { items: [{ name: "a" }], nextCursor: null } });
  const environment = { CLAVIGER_ADDR: stub.address };
  expect(await run(["keys", "-o", "name", "--cacert", "ca.pem"], { cwd: folder, environment })).toMatchObject({
    code: 0,
    stdout: "a\n",
  });
});

it.for(["other.pem", undefined])(
  "a gateway is not trusted with %s as its authority, and gets no credential",
  async (cacert) => {
    stub.answer({});
    const environment = { CLAVIGER_ADDR: stub.address, CLAVIGER_API_KEY: "clv_sk_x", CLAVIGER_CACERT: cacert };
    const ran = await run(["keys"], { cwd: folder, environment });
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("is not trusted") as string });
    expect(stub.seen).toEqual([]);
  },
);

it("plain HTTP at the other end is not trusted", async () => {
  await using plain = await startStub();
  const ran = await run(["keys"], { environment: { CLAVIGER_ADDR: plain.address.replace("http:", "https:") } });
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("is not trusted") as string });
});
