import { readFileSync, writeFileSync } from "node:fs";
import { url as inspectorUrl } from "node:inspector";

/** Options of Node that open the process's memory, or write it to a file. */
const OPENING = /^--(?:inspect|heapsnapshot|heap-prof|report-on|diagnostic-dir|debug)/u;

/**
 * Refuses to hold keys in a process whose memory others can read: an inspector, heap snapshots, core dumps.
 * @throws {Error} with one sentence for an operator
 */
export function guardMemory({
  execArgv,
  nodeOptions,
}: {
  readonly execArgv: readonly string[];
  readonly nodeOptions: string | undefined;
}): void {
  const option = [...execArgv, ...(nodeOptions ?? "").split(/\s+/u)].find((one) => OPENING.test(one));
  if (option !== undefined) throw new Error(`node option ${option} opens the memory that holds keys; start without it`);
  if (inspectorUrl() !== undefined)
    throw new Error("an inspector is open, which reads the memory that holds keys; start without it");
  // Node opens the inspector at this signal, unless somebody listens
  if (!process.listeners("SIGUSR1").includes(listen)) process.on("SIGUSR1", listen);
  leaveOutOfCoreDumps();
}

function listen(): void {
  // and that is all
}

/** On Linux a core dump may be left without any of the process's memory (core(5), coredump_filter). */
function leaveOutOfCoreDumps(): void {
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch (error) {
    if (coreLimit() === "0") return;
    throw new Error("core dumps are on and cannot be kept from holding keys; start with `ulimit -c 0`", {
      cause: error,
    });
  }
}

function coreLimit(): string {
  try {
    return /^Max core file size\s+(\S+)/mu.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}
