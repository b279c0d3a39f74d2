import type { Readable, Writable } from "node:stream";

/** What a command touches of the world; nothing else is read or written but files named by the user and the settings files. */
export type CommandIo = {
  /** Without the interpreter and the script. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly isTty: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly cwd: string;
  /** The user's home folder. */
  readonly home: string;
  /** Ends `--watch` and `tail -f`, and requests in flight. */
  readonly signal?: AbortSignal;
  /** Time and randomness; the real ones where absent. */
  readonly sources?: CommandSources;
};

export type CommandSources = {
  /** Epoch milliseconds. */
  now(): number;
  uuid(): string;
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
};
