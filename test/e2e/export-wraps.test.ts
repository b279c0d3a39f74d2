import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOffline } from "#offline/open.ts";
import { Estate } from "./estate.ts";

const HOST = { environment: {}, readText: () => "" };
let estate: Estate;
beforeAll(async () => {
  estate = await Estate.create();
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
});

async function encrypted(name: string): Promise<string> {
  return String((await estate.succeed("POST", `/v1/keys/${name}/encrypt`, { plaintext: "cGxhaW4=" }))["ciphertext"]);
}

describe("the exported wraps of a key", () => {
  it("open its ciphertexts with one provider and no database, and nobody else's", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "leaving" });
    await estate.succeed("POST", "/v1/keys", { name: "staying" });
    const first = await encrypted("leaving");
    await estate.succeed("POST", "/v1/keys/leaving/rotate");
    const second = await encrypted("leaving");
    const staying = await encrypted("staying");
    const exported = await estate.succeed("POST", "/v1/keys/leaving/export-wraps");
    const lines = exported["lines"] as string[];
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      "branch",
      "wrap",
      "wrap",
      "version",
      "version",
    ]);
    const folder = await mkdtemp(join(tmpdir(), "claviger-exported-"));
    const journal = join(folder, "exported.jsonl");
    await writeFile(journal, lines.map((line) => `${line}\n`).join(""));
    const config = join(folder, "config.yaml");
    await writeFile(config, `providers: { hsm-b: { kind: local-hsm, folder: ${join(estate.folder, "hsm-b")} } }`);
    const open = async (ciphertext: string): Promise<string> =>
      (await openOffline({ ciphertext, journal, config, provider: "hsm-b", context: {} }, HOST)).toString();
    expect(await open(first)).toBe("plain");
    expect(await open(second)).toBe("plain");
    await expect(open(staying)).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
    const one = await estate.succeed("POST", "/v1/keys/leaving@2/export-wraps");
    expect(one["lines"]).toHaveLength(4);
    await rm(folder, { recursive: true });
  });

  it("are refused for keys without wraps, and to whoever is no admin", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "native", purpose: "sign" });
    expect(await estate.ask("POST", "/v1/keys/native/export-wraps")).toMatchObject({
      status: 422,
      body: { code: "UNSUPPORTED_COMBINATION" },
    });
    expect(await estate.ask("POST", "/v1/keys/nobody/export-wraps")).toMatchObject({ status: 404 });
  });
});
