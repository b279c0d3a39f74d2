import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EmulatorKind } from "./catalogue.ts";
import { type Ending, startProcess } from "./own-process.ts";

const READY_WITHIN_MS = 60_000;

/** A started emulator; disposing stops it and removes what it stored. */
export type Emulator = AsyncDisposable & {
  readonly kind: EmulatorKind;
  readonly endpoint: string;
  /** The file with what it prints, kept after the stop. */
  readonly log: string;
  /** Settles once it has ended, for whatever reason. */
  readonly ended: Promise<Ending>;
};

/** Starts an installed emulator; `home` is the folder `.emu`. It serves once `waitUntilReady` has settled. */
export function startEmulator(kind: EmulatorKind, home: string, port: number): Emulator {
  mkdirSync(join(home, "log"), { recursive: true });
  const log = join(home, "log", `${kind.name}.log`);
  rmSync(log, { force: true }); // a new file, so that another run of the same emulator keeps writing to its own
  const folder = mkdtempSync(join(home, `${kind.name}-run-`));
  const output = openSync(log, "a");
  const { ended, stop } = startProcess(join(home, kind.program), [], {
    cwd: folder,
    // Nothing of the caller's environment: a PERSIST_STATE or an AWS_PROFILE there would change what is tested.
    env: { HOME: folder, TMPDIR: folder, ...kind.environment({ port, folder }) },
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  return {
    kind,
    endpoint: `http://127.0.0.1:${port}`,
    log,
    ended,
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Settles when requests are served. Throws when the emulator ends first, after 60 s, or with the signal's reason. */
export async function waitUntilReady(emulator: Emulator, signal: AbortSignal): Promise<void> {
  const { kind, log } = emulator;
  const lateAt = performance.now() + READY_WITHIN_MS;
  const ended = emulator.ended.then(({ words }) => words);
  while (!(await answers(emulator.endpoint + kind.readyPath, signal))) {
    const news = await Promise.race([ended, delay(50)]);
    signal.throwIfAborted();
    const late = performance.now() > lateAt ? `did not answer within ${READY_WITHIN_MS / 1000} s` : undefined;
    const trouble = news ?? late;
    if (trouble !== undefined) throw new Error(`${kind.name} ${trouble}${lastLines(log)}`);
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false; // not listening yet, or aborted, which the caller looks at
  }
}

function lastLines(file: string): string {
  const text = readFileSync(file, "utf8").trimEnd();
  return text === "" ? "" : `; the end of ${file}:\n${text.split("\n").slice(-20).join("\n")}`;
}
