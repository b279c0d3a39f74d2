import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { awsLine } from "./two-providers.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";

const COMMAND = new URL("../../bin/claviger.js", import.meta.url).pathname;
const PACKAGES = ["@aws-sdk", "@azure", "@google-cloud", "@grpc", "google-gax", "pkcs11js"];
/** Says on stderr which modules of which packages are loaded. */
const WATCH = `import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) {
  const name = /node_modules\\/((?:@[^/]+)|[^/]+)/u.exec(url)?.[1];
  if (name !== undefined) process.stderr.write("LOADED " + name + "\\n");
  return next(url, context);
} });`;

/** The packages of key services that a gateway has loaded when it serves. */
async function loadedBy(folder: DataFolder, providers: string): Promise<readonly string[]> {
  const file = `${folder.path}.yaml`;
  await writeFile(file, `providers: ${providers}\nlisten: { port: 0 }\n`);
  const watch = `data:text/javascript,${encodeURIComponent(WATCH)}`;
  const child = spawn(
    process.execPath,
    ["--import", watch, COMMAND, "serve", "--config", file, "--data", folder.path],
    { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] }, timeout: 50_000 },
  );
  let [printed, complaint] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (printed.includes(" serves ")) child.kill("SIGTERM");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  await once(child, "close");
  expect(printed, complaint.slice(-500)).toContain(" serves ");
  const names = new Set(complaint.matchAll(/^LOADED (\S+)$/gmu).map(([, name]) => name ?? ""));
  expect(names).toContain("kysely"); // the hook sees what is loaded
  return PACKAGES.filter((name) => names.has(name));
}

describe("a gateway loads the clients of key services", { timeout: 60_000 }, () => {
  it("of none where its providers are local", async () => {
    await using folder = await openDataFolder();
    expect(await loadedBy(folder, "{ hsm: { kind: local-hsm } }")).toEqual([]);
  });

  it("of those alone that are configured", async () => {
    await using folder = await openDataFolder();
    const aws = awsLine("aws", { region: "eu-west-1", endpoint: "http://127.0.0.1:9" });
    expect(await loadedBy(folder, `{ hsm: { kind: local-hsm }, ${aws} }`)).toEqual(["@aws-sdk"]);
  });
});
