import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** A gateway that scripts may talk to, and the folder of its data where it is ours. */
export type ScriptGateway = AsyncDisposable & {
  readonly environment: Readonly<Record<string, string>>;
  readonly data: string;
};

/** The gateway whose client.json CLAVIGER_SCRIPTS_CLIENT names; where that names none, a fresh one of our own. */
export async function obtainGateway(): Promise<ScriptGateway> {
  const given = process.env["CLAVIGER_SCRIPTS_CLIENT"];
  if (given === undefined) return await startGateway();
  return { environment: await clientEnvironment(given), data: dirname(given), async [Symbol.asyncDispose]() {} };
}

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

async function startGateway(): Promise<ScriptGateway> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-gateway-"));
  const data = join(folder, "data");
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", "--data", data], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], CLAVIGER_LOG_LEVEL: "error" },
  });
  await firstLine(child);
  return {
    environment: await clientEnvironment(join(data, "client.json")),
    data,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first line on stdout says that it listens; an exit before says on stderr why not. */
async function firstLine(child: ChildProcess): Promise<void> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the gateway has no pipes");
  let complaint = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const line = await Promise.race([once(createInterface({ input: stdout }), "line"), once(child, "exit")]);
  if (typeof line[0] !== "string") throw new Error(`the gateway did not start: ${complaint}`);
}

async function clientEnvironment(file: string): Promise<Readonly<Record<string, string>>> {
  const { address, apiKey, cacert } = JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
  if (address === undefined || apiKey === undefined) throw new Error(`${file} has no address or no key`);
  return {
    CLAVIGER_ADDR: address,
    CLAVIGER_API_KEY: apiKey,
    ...(cacert !== undefined && address.startsWith("https:") && { CLAVIGER_CACERT: join(dirname(file), cacert) }),
  };
}
