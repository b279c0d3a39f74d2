import type { Command } from "commander";
import { type Pairs, pairsObject, parseWhole } from "./arguments.ts";
import { withContext } from "./crypto-options.ts";
import { LocalExit } from "./local-exit.ts";
import { readTextInput } from "./read-input.ts";
import type { Session } from "./session.ts";
import { commandVersion } from "./version.ts";

type ServeOptions = {
  readonly config?: string;
  readonly data: string;
  readonly port?: number;
  readonly insecureHttp?: boolean;
};

/** Running a gateway. */
export function registerServe(program: Command, session: Session): void {
  withFolder(program.command("serve").description("run a gateway here; Ctrl-C ends it"))
    .option("--port <n>", "the port, instead of the configuration's", parseWhole)
    .option("--insecure-http", "without TLS, on a loopback address alone")
    .action(async ({ insecureHttp = false, ...options }: ServeOptions) => {
      leaveWith(await session.offline.serve({ ...options, insecureHttp }));
    });
  withFolder(
    program.command("init").description("make the data folder that a gateway needs, without running one"),
  ).action(async (options: { readonly config?: string; readonly data: string }) => {
    leaveWith(await session.offline.init(options));
  });
}

/** The configuration, and the folder in which a gateway keeps everything. */
export function withFolder(command: Command): Command {
  return command
    .option("--config <file>", "the configuration; two software HSMs unless told")
    .option("--data <folder>", "where everything is kept", "data");
}

type OpenCommandOptions = {
  readonly journal: string;
  readonly config?: string;
  readonly provider: string;
  readonly context?: Pairs;
};

/** Opening a ciphertext without a gateway. */
export function registerOpen(program: Command, session: Session): void {
  withContext(program.command("open <file>"))
    .description("open a portable ciphertext without a gateway: with a journal and the credentials of one provider")
    .requiredOption("--journal <file>", "the journal of the gateway that made it, such as data/journal.jsonl")
    .option("--config <file>", "a configuration that has the provider; what a gateway runs without any unless told")
    .requiredOption("--provider <provider>", "the provider to ask")
    .action(async (file: string, { context, ...options }: OpenCommandOptions) => {
      const ciphertext = await readTextInput(session.io, file);
      await session.print(await session.offline.open({ ...options, ciphertext, context: pairsObject(context) ?? {} }));
    });
}

function leaveWith(code: number): void {
  if (code !== 0) throw new LocalExit(code);
}

export function registerVersion(program: Command, session: Session): void {
  program
    .command("version")
    .description("print the version of this command")
    .action(async () => {
      await session.printData({ version: commandVersion() }, `${commandVersion()}\n`);
    });
}
