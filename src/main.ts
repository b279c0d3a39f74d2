/** The process: arguments, environment, signals, exit code. The only file that reads the environment. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { runCommand } from "#cli/command.ts";
import { commandVersion } from "#cli/version.ts";
import type { HostOptions } from "./app/serve.ts";

const stopping = new AbortController();
const stop = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      // who insists is obeyed at once
      process.once(signal, () => process.exit(1));
      stopping.abort();
      resolve();
    });
  }
});

const host: HostOptions = {
  environment: process.env,
  execArgv: process.execArgv,
  version: commandVersion(),
  readText: (path) => readFileSync(path, "utf8"),
  stop,
  print: (text) => {
    console.log(text);
  },
  complain: (line) => {
    console.error(`claviger: ${line}`);
  },
};

process.exitCode = await runCommand(
  {
    argv: process.argv.slice(2),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTty: { stdin: process.stdin.isTTY, stdout: process.stdout.isTTY, stderr: process.stderr.isTTY },
    cwd: process.cwd(),
    home: homedir(),
    signal: stopping.signal,
  },
  {
    // what a command does not need is not loaded for it
    serve: async (options) => await (await import("./app/serve.ts")).serve(options, host),
    init: async (options) => await (await import("./app/serve.ts")).init(options, host),
    doctor: async (options) => await (await import("#offline/doctor.ts")).doctorOffline(options, host),
    open: async (options) => await (await import("#offline/open.ts")).openOffline(options, host),
    verifyAudit: async (options) => await (await import("#offline/verify-audit.ts")).verifyAuditOffline(options),
  },
);
