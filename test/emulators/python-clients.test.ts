import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAzureKeyVaultFake } from "../fakes/azure-key-vault/fake.ts";
import { openGcpKmsFake } from "../fakes/gcp-kms/fake.ts";

const PYTHON = new URL("../../.emu/python/bin/python", import.meta.url).pathname;
const missing = existsSync(PYTHON) ? "" : ": .emu/python is not there, localstack/install.sh makes it";

/** What a script says; rejects with its last lines where it ends with anything but 0. */
async function run(script: string, ...args: readonly string[]): Promise<string> {
  const path = new URL(`../independent/${script}`, import.meta.url).pathname;
  const child = spawn(PYTHON, [path, ...args], { stdio: ["ignore", "pipe", "pipe"], timeout: 100_000 });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${String(code)}: ${said.slice(-1500)}`);
  return said;
}

async function withAuthority<T>(pem: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-python-"));
  try {
    await writeFile(join(folder, "ca.pem"), pem);
    return await use(join(folder, "ca.pem"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.skipIf(missing !== "")(`the vendors' Python clients${missing}`, { timeout: 120_000 }, () => {
  it("find in our fake of Azure Key Vault what Microsoft describes", async () => {
    const fake = await openAzureKeyVaultFake();
    try {
      const { token } = await fake.credential.getToken();
      const said = await withAuthority(fake.ca, async (ca) => await run("azure_keyvault.py", fake.vaultUrl, ca, token));
      expect(said).toMatch(/^\d+ things seen$/mu);
    } finally {
      await fake.stop();
    }
  });

  it("find in our fake of Google Cloud KMS what Google describes", async () => {
    const fake = await openGcpKmsFake({ tokens: ["ya29.python"] });
    try {
      const address = `${fake.host}:${fake.port}`;
      const said = await withAuthority(
        fake.ca ?? "",
        async (ca) => await run("google_cloud_kms.py", address, ca, "ya29.python"),
      );
      expect(said).toMatch(/^\d+ things seen$/mu);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
});
