import { PassThrough, Readable, Writable } from "node:stream";
import { type CommandIo, type OfflineCommands, runCommand } from "#cli/command.ts";

export type RunOptions = Partial<Omit<CommandIo, "argv" | "stdin" | "stdout" | "stderr">> & {
  /** Absent: a terminal at which nobody types. */
  readonly stdin?: string | Buffer | readonly Buffer[];
  readonly stdout?: Writable;
  readonly offline?: Partial<OfflineCommands>;
};

export type Ran = { readonly code: number; readonly stdout: string; readonly bytes: Buffer; readonly stderr: string };

const NOWHERE = "/nonexistent";

/** Runs one command in this process, as main does. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [out, err] = [collector(), collector()];
  const { stdin, stdout = out.stream, offline, ...rest } = options;
  const io: CommandIo = {
    environment: {},
    cwd: NOWHERE,
    home: NOWHERE,
    isTty: { stdin: stdin === undefined, stdout: false, stderr: false },
    sources: fixedSources(),
    ...rest,
    argv,
    stdin: stdin === undefined ? new PassThrough() : Readable.from(Array.isArray(stdin) ? stdin : [stdin]),
    stdout,
    stderr: err.stream,
  };
  const code = await runCommand(io, { ...NO_OFFLINE, ...offline });
  return { code, stdout: out.bytes().toString("utf8"), bytes: out.bytes(), stderr: err.bytes().toString("utf8") };
}

/** A clock that stands, ids that count, pauses that are over at once. */
export function fixedSources(now = Date.UTC(2026, 10, 24)): NonNullable<CommandIo["sources"]> {
  let count = 0;
  return {
    now: () => now,
    uuid: () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, "0")}`,
    pause: async () => {
      await Promise.resolve();
    },
  };
}

const refuse = (): never => {
  throw new Error("this test has no offline command");
};

const NO_OFFLINE: OfflineCommands = {
  serve: refuse,
  init: refuse,
  doctor: async () => await Promise.resolve([]),
  open: refuse,
  verifyAudit: refuse,
};

function collector(): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer | string, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}
