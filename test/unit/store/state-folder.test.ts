import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { RevisionFile } from "#store/revision-file.ts";
import { readPin, readRevision, writePin, writeRevision } from "#store/state-folder.ts";
import { kmsError } from "../../conformance/kms-error.ts";
import { ManualTime } from "../../conformance/manual-time.ts";

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-state-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "state");
}

const COMMITMENT = Buffer.alloc(32, 1).toString("base64");

describe("the pin of the root key", () => {
  it("is read as it was written, and is the owner's alone", async () => {
    const folder = await createFolder();
    expect(await readPin(folder)).toBeUndefined();
    const pins = [1, 2].map((rootVersion) => ({ rootVersion, commitment: COMMITMENT }));
    await writePin(folder, pins.slice(0, 1));
    await writePin(folder, pins);
    expect(await readPin(folder)).toEqual(pins);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "root.json"))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["root.json"]);
  });

  it.for([
    { name: "is cut", text: '[{"rootVersion":1' },
    { name: "is empty", text: "[]" },
    { name: "is no list", text: '{"rootVersion":1}' },
    { name: "has a short commitment", text: '[{"rootVersion":1,"commitment":"AAAA"}]' },
    { name: "has version 0", text: JSON.stringify([{ rootVersion: 0, commitment: COMMITMENT }]) },
    { name: "has a version that is a text", text: JSON.stringify([{ rootVersion: "1", commitment: COMMITMENT }]) },
  ])("that $name is refused", async ({ text }) => {
    const folder = await createFolder();
    await writeRevision(folder, 0, false);
    await writeFile(join(folder, "root.json"), text);
    await expect(readPin(folder)).rejects.toEqual(kmsError("SEALED", /root\.json/u));
  });
});

describe("the highest revision seen", () => {
  it("is read as it was written", async () => {
    const folder = await createFolder();
    expect(await readRevision(folder)).toBeUndefined();
    await writeRevision(folder, 41, true);
    expect(await readRevision(folder)).toBe(41);
    expect(await readFile(join(folder, "revision"), "utf8")).toBe("41\n");
  });

  it.for(["", "41", "-1\n", "4e1\n", " 41\n", "41\n\n", "9999999999999999\n"])(
    "is refused when the file says %j",
    async (text) => {
      const folder = await createFolder();
      await writeRevision(folder, 0, false);
      await writeFile(join(folder, "revision"), text);
      await expect(readRevision(folder)).rejects.toEqual(kmsError("SEALED"));
    },
  );

  it("is written a quarter of a second after it was noted, and at the end", async () => {
    const folder = await createFolder();
    const time = new ManualTime();
    const errors: unknown[] = [];
    await writeRevision(folder, 5, false);
    const { scheduler } = time.sources;
    const file = new RevisionFile({ folder, revision: 5, scheduler, onError: (error) => errors.push(error) });
    file.note(6);
    file.note(8);
    time.advance(249);
    expect(await readRevision(folder)).toBe(5);
    time.advance(1);
    await expect.poll(() => readRevision(folder), { interval: 1 }).toBe(8);
    file.note(9);
    file.note(7);
    await file[Symbol.asyncDispose]();
    expect(await readRevision(folder)).toBe(9);
    expect(errors).toEqual([]);
  });

  it("is not put back by a process that has seen less than another", async () => {
    const folder = await createFolder();
    const time = new ManualTime();
    await writeRevision(folder, 100, false);
    const slow = new RevisionFile({ folder, revision: 5, scheduler: time.sources.scheduler, onError: () => undefined });
    slow.note(7);
    await slow[Symbol.asyncDispose]();
    expect(await readRevision(folder)).toBe(100);
  });
});
