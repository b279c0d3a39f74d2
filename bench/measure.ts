import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Connections, Shot } from "./load.ts";
import { cpuMicros } from "./process-stats.ts";

/** What is measured: a request, sent to a process over connections that are kept. */
export type Subject = {
  readonly name: string;
  readonly pid: number;
  readonly connections: Connections;
  readonly shot: Shot;
  /** Items that one answer holds. */
  readonly items: number;
};

/** CPU is the process's, per item. */
export type Round = {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export type Rounds = ReadonlyMap<string, readonly Round[]>;

export type Plan = { readonly rounds: number; readonly roundMs: number };

/** The subjects in turn, again and again: what changes on the machine meanwhile meets all of them. */
export async function interleave(subjects: readonly Subject[], plan: Plan): Promise<Rounds> {
  for (const subject of subjects) await subject.connections.fire(subject.shot, plan.roundMs);
  const found = new Map<string, Round[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const subject of subjects) found.get(subject.name)?.push(await oneRound(subject, plan.roundMs));
  }
  return found;
}

async function oneRound({ pid, connections, shot, items }: Subject, roundMs: number): Promise<Round> {
  const before = cpuMicros(pid);
  const { answers, tookMs, latenciesMs } = await connections.fire(shot, roundMs);
  const done = answers * items;
  return {
    perSecond: (done / tookMs) * 1000,
    cpuMicros: (cpuMicros(pid) - before) / done,
    p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)] ?? 0,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
  };
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

export function medianOf(rounds: readonly Round[] | undefined, member: keyof Round): number {
  return median((rounds ?? []).map((round) => round[member]));
}

export function met(isMet: boolean): string {
  return isMet ? "met" : "not met";
}

/** A program of this folder in a process of its own; `told` is the line of JSON that it prints once it serves. */
export type Child<T> = AsyncDisposable & { readonly pid: number; readonly told: T };

export async function startChild<T>(script: string, args: readonly string[] = []): Promise<Child<T>> {
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    pid: child.pid ?? 0,
    told: JSON.parse(line.toString()) as T,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
