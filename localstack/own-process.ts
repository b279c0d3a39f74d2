import { type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

const STOP_WITHIN_MS = 10_000;

export type Ending = {
  /** The exit code; as shells say it, 128 + the signal's number, and 127 for a program that could not be started. */
  readonly code: number;
  readonly words: string;
  readonly couldStart: boolean;
};

export type OwnProcess = {
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** Sends `signal`, and SIGKILL if the process is still there 10 s later. Settles when it has ended; never rejects. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
};

/** Starts a program; neither its children nor anyone else's process is ever signalled. */
export function startProcess(program: string, args: readonly string[], options: SpawnOptions): OwnProcess {
  const child = spawn(program, args, options);
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  child.once("error", (error) => {
    resolve({ code: 127, words: `could not be started: ${error.message}`, couldStart: false });
  });
  child.once("exit", (code, signal) => {
    resolve(
      signal === null
        ? { code: code ?? 1, words: `ended with code ${code}`, couldStart: true }
        : { code: 128 + constants.signals[signal], words: `was ended by ${signal}`, couldStart: true },
    );
  });
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  };
  return { ended, stop };
}
