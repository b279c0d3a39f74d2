import { execFileSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Estate } from "./estate.ts";

let estate: Estate;
beforeAll(async () => {
  estate = await Estate.create();
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
}, 60_000);

type Status = Record<string, unknown> & { jws: string; signer: { keyId: string; publicKey: string } };

async function statusOf(key: string): Promise<Status> {
  return (await estate.succeed("GET", `/v1/keys/${key}/status`)) as Status;
}

describe("the status of a key", () => {
  it("is stated under the key that signs the audit trail", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders", purpose: "sign" });
    await estate.succeed("POST", "/v1/keys/orders/rotate");
    const { jws, signer, ...status } = await statusOf("orders");
    expect(status).toMatchObject({
      name: "orders",
      state: "active",
      held: false,
      versions: [
        { version: 1, role: "secondary" },
        { version: 2, role: "primary", kids: [expect.any(String)] },
      ],
    });
    const [header = "", payload = "", signature = ""] = jws.split(".");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
      alg: "EdDSA",
      kid: signer.keyId,
      typ: "claviger-key-status+jws",
    });
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual(status);
    const pem = await readFile(join(estate.folder, "audit", `${signer.keyId}.pem`), "utf8");
    const key = createPublicKey(pem);
    expect(key.export({ format: "der", type: "spki" }).toString("base64")).toBe(signer.publicKey);
    expect(verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("tells of a compromise at once, and since when", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "leaked" });
    await estate.succeed("POST", "/v1/keys/leaked/compromise", {
      reason: "test",
      occurrenceTime: "2026-01-02T03:04:05.000Z",
    });
    expect(await statusOf("leaked")).toMatchObject({
      state: "deactivated",
      stateReason: "compromised",
      compromiseOccurrenceTime: "2026-01-02T03:04:05.000Z",
    });
  });

  it("is checked as docs/key-status.md says, and not when it was changed", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "checked" });
    const { jws, signer } = await statusOf("checked");
    const page = await readFile("docs/key-status.md", "utf8");
    const script =
      /```js\n(?<script>[^]*?)```/u.exec(page)?.groups?.["script"] ?? expect.fail("the page has no script");
    const [program, statement] = ["check-status.mjs", "statement"].map((name) => join(estate.folder, name));
    await writeFile(program ?? "", script);
    await writeFile(statement ?? "", jws);
    const pem = join(estate.folder, "audit", `${signer.keyId}.pem`);
    const run = (): string =>
      execFileSync(process.execPath, [program ?? "", statement ?? "", pem], { encoding: "utf8", stdio: "pipe" });
    expect(run()).toBe("active 1: active\n");
    const [header, payload = "", signature] = jws.split(".");
    const changed = Buffer.from(Buffer.from(payload, "base64url").toString().replace("checked", "cracked")).toString(
      "base64url",
    );
    await writeFile(statement ?? "", [header, changed, signature].join("."));
    expect(run).toThrow(/not a current statement/u);
  });
});
