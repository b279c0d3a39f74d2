import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { runCommand } from "#cli/command.ts";
import type { OfflineCommands } from "#cli/offline-commands.ts";
import { type HostOptions, serve } from "#app/serve.ts";

export type RefusedStart = {
  readonly code: number;
  /** What an operator reads: the lines on stderr that are no records of the log. */
  readonly lines: readonly string[];
  readonly log: readonly string[];
};

/** Types the `serve` of a gateway that should not start, in this process, and gives what it says. Rejects if it serves. */
export async function refusedStart(...args: readonly string[]): Promise<RefusedStart> {
  const { promise: stop, resolve: beginStop } = Promise.withResolvers<void>();
  const [lines, log]: [string[], string[]] = [[], []];
  let printed = "";
  const host: HostOptions = {
    environment: {},
    execArgv: [],
    version: "test",
    readText: () => "",
    stop,
    onReload: () => ({ [Symbol.dispose]: () => undefined }),
    print: (line) => {
      printed += line;
      beginStop();
    },
    complain: (line) => lines.push(`claviger: ${line}`),
    log: { write: (record) => log.push(record.trimEnd()) },
  };
  const elsewhere = (): never => {
    throw new Error("only serve is typed here");
  };
  const offline: OfflineCommands = {
    serve: async (options) => await serve(options, host),
    init: elsewhere,
    doctor: elsewhere,
    open: elsewhere,
    verifyAudit: elsewhere,
  };
  const stderr = new PassThrough();
  const code = await runCommand(
    {
      argv: ["serve", ...(args.includes("--port") ? [] : ["--port", "0"]), ...args],
      environment: {},
      stdin: new PassThrough().end(),
      stdout: new PassThrough(),
      stderr,
      isTty: { stdin: false, stdout: false, stderr: false },
      cwd: process.cwd(),
      home: "/nowhere",
      signal: new AbortController().signal,
    },
    offline,
  );
  if (printed !== "") throw new Error(`it serves: ${printed}`);
  const typed = (await text(stderr.end())).split("\n").slice(0, -1);
  return { code, lines: [...lines, ...typed], log };
}
