/**
 * The command. Which text goes where:
 * - stdout: what was asked for, in the form that -o names, which never depends on whether stdout is a terminal;
 * - stderr: all else, and a failure is three lines: what; why, with the code; what to do next, with the request id;
 * - colour: only on a terminal, and never with NO_COLOR.
 * No secret is a flag, since other users of the machine can read flags.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Command, CommanderError } from "commander";
import { ERROR_CODES, KmsError } from "#core/errors.ts";
import { EXIT, Failure, failureLines, usageFailure } from "./failure.ts";
import type { CommandIo, CommandSources } from "./io.ts";
import { LocalExit } from "./local-exit.ts";
import type { OfflineCommands } from "./offline-commands.ts";
import { createProgram, registerCommands } from "./program.ts";
import { codeOf } from "./secret-file.ts";
import { Session, type SharedOptions } from "./session.ts";

export type { CommandIo } from "./io.ts";
export type { OfflineCommands } from "./offline-commands.ts";

/**
 * Runs one command; resolves with its exit code (api.md § 11): 0 done · 1 refused, or a check said no · 2 usage · 3 unavailable, worth
 * retrying · 4 finished with failed items. Never rejects, never ends the process.
 */
export async function runCommand(io: CommandIo, offline: OfflineCommands): Promise<number> {
  const program = createProgram((text) => io.stdout.write(text));
  const typed: Typed = { command: program };
  using session = new Session({
    io,
    offline,
    sources: io.sources ?? SOURCES,
    shared: () => program.opts<SharedOptions>(),
  });
  registerCommands(program, session);
  watchTyped(program, typed);
  for (const stream of [io.stdout, io.stderr]) stream.on("error", ignore); // told by the write that failed
  try {
    await program.parseAsync(io.argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    return await conclude(error, { io, session, command: typed.command });
  }
}

/** The command that runs, or that was typed wrongly. */
type Typed = { command: Command };

const SOURCES: CommandSources = {
  now: () => Date.now(),
  uuid: () => randomUUID(),
  pause: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch(ignore); // an abort ends the pause
  },
};

function ignore(): void {
  // on purpose
}

/** What the user typed to name a command, such as `keys create`. */
function commandPath(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

/** Notes which command runs, and which one commander complains about. */
function watchTyped(command: Command, typed: Typed): void {
  command.exitOverride((error) => {
    typed.command = command;
    throw error;
  });
  command.hook("preAction", (_, action) => {
    typed.command = action;
  });
  for (const child of command.commands) watchTyped(child, typed);
}

type Conclusion = { readonly io: CommandIo; readonly session: Session; readonly command: Command };

async function conclude(thrown: unknown, { io, session, command }: Conclusion): Promise<number> {
  if (thrown instanceof LocalExit) return thrown.exitCode;
  if (codeOf(thrown) === "EPIPE" && !(thrown instanceof Failure)) return EXIT.done; // who reads has seen enough, as in | head
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
  if (thrown instanceof CommanderError && thrown.code === "commander.help") {
    await session.tell(command.helpInformation().trimEnd()).catch(ignore);
    return EXIT.usage;
  }
  const failure = io.signal?.aborted === true ? interrupted(thrown) : toFailure(thrown);
  const name = commandPath(command);
  const typed = { name, usage: ["npx claviger", ...(name === "" ? [] : [name]), command.usage()].join(" ") };
  await session.tell(failureLines(failure, typed).trimEnd()).catch(ignore); // nobody listens: the code says it
  return failure.exitCode;
}

function interrupted(cause: unknown): Failure {
  const text = { what: "interrupted", code: "INTERRUPTED", why: "it was told to end before it was done" };
  return new Failure(EXIT.unavailable, { ...text, next: "look whether it was done, and try again" }, cause);
}

function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError)
    return usageFailure(error.message.replace(/^error: /u, "").replaceAll("\n", " "));
  if (error instanceof KmsError) {
    const { code, publicMessage: why, help = "look at what was given" } = error;
    const exitCode = ERROR_CODES[code].retry === "never" ? EXIT.refused : EXIT.unavailable;
    return new Failure(exitCode, { what: "it was not done", code, why, next: help }, error);
  }
  const why = error instanceof Error ? error.message : "something was thrown that is no error";
  return new Failure(EXIT.refused, {
    what: "it was not done",
    code: codeOf(error),
    why,
    next: "look at what was given, and try again",
  });
}
