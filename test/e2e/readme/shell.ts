import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";

const COMMAND = new URL("../../../bin/claviger.js", import.meta.url).pathname;

/** A shell in a folder, as a reader of the README has it: `npx claviger` is the command of this repository. */
export type Shell = {
  readonly folder: string;
  /** Where the reader's gateway is, in place of https://127.0.0.1:8443. */
  readonly address: string;
};

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export async function run(shell: Shell, command: string): Promise<Ran> {
  const child = start(shell, command);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  await once(child, "close");
  return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
}

/** Starts a command that goes on by itself. */
export function start({ folder, address }: Shell, command: string): ChildProcess {
  const typed = command
    .replaceAll("npx claviger", `'${process.execPath}' '${COMMAND}'`)
    .replaceAll("https://127.0.0.1:8443", address);
  return spawn("bash", ["-o", "pipefail", "-c", typed], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
      HOME: folder, // the settings of whoever runs the tests are not the reader's
      CLAVIGER_LOG_LEVEL: "error",
    },
  });
}

function collect(stream: ChildProcess["stdout"]): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}
