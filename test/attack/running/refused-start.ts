import { spawn } from "node:child_process";
import { once } from "node:events";
import { COMPILED } from "../../e2e/live-gateway.ts";

const COMMAND = new URL("../../../bin/claviger.js", import.meta.url).pathname;

export type RefusedStart = {
  readonly code: number | null;
  /** What an operator reads: the lines on stderr that are no records of the log. */
  readonly lines: readonly string[];
  readonly log: readonly string[];
};

/** Starts a gateway that should not start, as an operator would, and gives what it says. Rejects if it serves. */
export async function refusedStart(...args: readonly string[]): Promise<RefusedStart> {
  const child = spawn(
    process.execPath,
    [COMMAND, "serve", ...(args.includes("--port") ? [] : ["--port", "0"]), ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: COMPILED },
      timeout: 50_000, // one that neither serves nor ends must not outlive the test
    },
  );
  let [printed, complaint] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    child.kill();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  await once(child, "close");
  if (printed !== "") throw new Error(`it serves: ${printed}`);
  const all = complaint.split("\n").slice(0, -1);
  return {
    code: child.exitCode,
    lines: all.filter((line) => !line.startsWith("{")),
    log: all.filter((line) => line.startsWith("{")),
  };
}
