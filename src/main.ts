/** The process: arguments, environment, signals, exit code. The only file that reads the environment. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isatty } from "node:tty";
import { runCommand } from "#cli/command.ts";
import { commandVersion } from "#cli/version.ts";
import type { HostOptions } from "./app/serve.ts";

const stopping = new AbortController();
const { promise: stop, resolve: beginStop } = Promise.withResolvers<void>();
const stopNow = (): void => {
  stopping.abort();
  beginStop();
};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    // who insists is obeyed at once
    process.once(signal, () => process.exit(1));
    stopNow();
  });
}

/** SIGHUP: an operator's wish to reload, or the terminal that the gateway ran in is gone, and the gateway with it. */
function onReload(listener: () => void): Disposable {
  const hadTerminal = isatty(0);
  const hangUp = (): void => {
    if (hadTerminal && !isatty(0)) stopNow();
    else listener();
  };
  process.on("SIGHUP", hangUp);
  return { [Symbol.dispose]: () => process.off("SIGHUP", hangUp) };
}

const host: HostOptions = {
  environment: process.env,
  execArgv: process.execArgv,
  version: commandVersion(),
  readText: (path) => readFileSync(path, "utf8"),
  stop,
  onReload,
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
