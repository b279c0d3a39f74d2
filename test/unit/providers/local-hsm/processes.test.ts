import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, listed } from "../../../conformance/provider/subject.ts";
import { filesOf, freshFolder, openLocal } from "./local.ts";

function startProcess(dataFolder: string, task: "share" | "churn"): ChildProcess {
  const script = fileURLToPath(import.meta.resolve("./second-process.ts"));
  const child = spawn(process.execPath, [script, dataFolder, task], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** Gives the lines that a process writes. */
function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  return createInterface({ input: stdout ?? expect.fail("no output") })[Symbol.asyncIterator]();
}

describe("processes on one folder", { timeout: 30_000 }, () => {
  it("make one token and one key per marker, though all begin at once, and see each other's", async () => {
    const dataFolder = freshFolder();
    const children = [1, 2, 3].map(() => startProcess(dataFolder, "share"));
    const answers = await Promise.all(children.map(async (child) => (await linesOf(child).next()).value as string));
    expect(new Set(answers).size).toBe(1);
    const refs = JSON.parse(answers[0] ?? "[]") as string[];
    const local = await openLocal({ dataFolder });
    expect((await listed(local.provider)).map(({ ref }) => ref).toSorted()).toEqual(refs.toSorted());
    for (const ref of refs) {
      expect(await local.provider.describe(ref, call())).toMatchObject({ observed: "enabled" });
      expect(filesOf(local, ref)).toHaveLength(1);
    }
    const [counted = ""] = refs;
    const path = join(local.folder, "objects", counted, filesOf(local, counted)[0] ?? "");
    const { meta } = JSON.parse(readFileSync(path, "utf8")) as { meta: { invocations: number } };
    expect(meta.invocations).toBeGreaterThanOrEqual(3 * 65_536);
  });

  it("lose nothing that a killed one had finished, and nothing that it had begun is in the way", async () => {
    const dataFolder = freshFolder();
    const watching = await openLocal({ dataFolder });
    const child = startProcess(dataFolder, "churn");
    const lines = linesOf(child);
    const finished: string[] = [];
    for (let at = 0; at < 8; at++) finished.push((await lines.next()).value as string);
    child.kill("SIGKILL");
    await once(child, "exit");
    const { provider } = await openLocal({ dataFolder });
    for (const handle of [provider, watching.provider]) {
      const seen = new Map((await listed(handle)).map(({ ref, observed }) => [ref, observed]));
      for (const ref of finished) expect(seen.get(ref)).toBe("disabled");
      expect([...seen.values()].every((observed) => observed === "disabled" || observed === "enabled")).toBe(true);
    }
    for (let at = 0; at < 12; at++) {
      const spec = { algorithm: "AES-KWP", marker: `churn-${at}`, description: "" } as const;
      const { ref } = await provider.keys.create(spec, call());
      expect(await provider.keys.enable(ref, call())).toMatchObject({ observed: "enabled" });
    }
  });
});
