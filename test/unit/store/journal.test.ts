import { appendFile, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Journal, JournalEntry } from "#core/journal.ts";
import { openJournal } from "#store/journal.ts";
import { RECORDS, key } from "../../conformance/sealed-records.ts";
import { kmsError } from "../../conformance/kms-error.ts";

function entry(n: number): JournalEntry {
  return { type: "version", namespace: RECORDS.namespaces(1), key: key(n), version: RECORDS.versions(n) };
}

function tombstone(n: number): JournalEntry {
  return { type: "tombstone", namespace: RECORDS.namespaces(1), key: key(n), version: RECORDS.versions(n) };
}

const identify = (told: JournalEntry): string =>
  told.type === "version" || told.type === "tombstone" ? `${told.type} ${told.key.name}` : told.type;
const stone = (n: number): string => JSON.stringify({ id: identify(tombstone(n)) });
const erases = (told: JournalEntry): ((text: string) => boolean) | undefined =>
  told.type === "tombstone" ? (text) => text.includes(`"version ${told.key.name}"`) : undefined;
const erasedBy = (told: JournalEntry): string | undefined =>
  told.type === "version" ? `tombstone ${told.key.name}` : undefined;
const line = (n: number): string => JSON.stringify({ id: identify(entry(n)) });

function readId(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { id: string }).id;
  } catch {
    return undefined;
  }
}

interface Subject extends AsyncDisposable {
  readonly targets: readonly string[];
  /** How often a line was written out. */
  written: number;
  open(): Promise<Journal>;
  lines(target?: number): Promise<readonly string[]>;
}

async function createSubject(targetCount = 1): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-journal-"));
  const targets = Array.from({ length: targetCount }, (_, at) => join(folder, String(at), "journal.jsonl"));
  const opened: Journal[] = [];
  const subject: Subject = {
    targets,
    written: 0,
    open: async () => {
      const writeLine = (told: JournalEntry): string => {
        subject.written += 1;
        return JSON.stringify({ id: identify(told) });
      };
      const journal = await openJournal({ targets, writeLine, identify, readId, erases, erasedBy });
      opened.push(journal);
      return journal;
    },
    lines: async (target = 0) => (await readFile(targets[target] ?? "", "utf8")).split("\n"),
    [Symbol.asyncDispose]: async () => {
      for (const journal of opened) await journal[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
  return subject;
}

describe("journal", () => {
  it("tells every entry once in every target, for the owner's eyes only", async () => {
    await using subject = await createSubject(2);
    const journal = await subject.open();
    await journal.append([entry(1), entry(2), entry(1)]);
    await journal.append([entry(2), entry(3)]);
    for (const [at, target] of subject.targets.entries()) {
      expect(await subject.lines(at)).toEqual([line(1), line(2), line(3), ""]);
      expect((await stat(target)).mode & 0o777).toBe(0o600);
    }
  });

  it("tells again only in the target that lacks it", async () => {
    await using subject = await createSubject(2);
    await (await subject.open()).append([entry(1)]);
    await writeFile(subject.targets[1] ?? "", "");
    await (await subject.open()).append([entry(1)]);
    expect(await subject.lines(0)).toEqual([line(1), ""]);
    expect(await subject.lines(1)).toEqual([line(1), ""]);
  });

  it("knows what it told before it was opened, and writes nothing for it", async () => {
    await using subject = await createSubject();
    const entries = Array.from({ length: 5000 }, (_, n) => entry(n));
    await (await subject.open()).append(entries);
    const again = await subject.open();
    await again.append(entries);
    expect(subject.written).toBe(5000);
    expect(await subject.lines()).toHaveLength(5001);
  });

  it("knows what another process has appended meanwhile", async () => {
    await using subject = await createSubject();
    const [one, other] = [await subject.open(), await subject.open()];
    await one.append([entry(1)]);
    await other.append([entry(1), entry(2)]);
    await one.append([entry(2), entry(3)]);
    expect(await subject.lines()).toEqual([line(1), line(2), line(3), ""]);
  });

  it("keeps whole the lines of two processes that append at the same time", async () => {
    await using subject = await createSubject();
    const [one, other] = [await subject.open(), await subject.open()];
    await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : other).append([entry(n)])));
    const told = Array.from({ length: 40 }, (_, n) => line(n));
    expect((await subject.lines()).slice(0, -1).toSorted()).toEqual(told.toSorted());
  });

  it("puts what comes while it writes into the file in order", async () => {
    await using subject = await createSubject();
    const journal = await subject.open();
    await Promise.all([1, 2, 3, 4].map((n) => journal.append([entry(n)])));
    expect(await subject.lines()).toEqual([line(1), line(2), line(3), line(4), ""]);
  });

  it("begins a new line after one that a crash has cut, and tells that entry again", async () => {
    await using subject = await createSubject();
    await (await subject.open()).append([entry(1), entry(2)]);
    await truncate(subject.targets[0] ?? "", line(1).length + 10);
    const journal = await subject.open();
    await journal.append([entry(1), entry(2)]);
    await journal.append([entry(3)]);
    expect(await subject.lines()).toEqual([line(1), line(2).slice(0, 9), line(2), line(3), ""]);
  });

  it("heals a line that was cut while it was open", async () => {
    await using subject = await createSubject();
    const journal = await subject.open();
    await journal.append([entry(1)]);
    await appendFile(subject.targets[0] ?? "", '{"id"');
    await journal.append([entry(2)]);
    expect(await subject.lines()).toEqual([line(1), '{"id"', line(2), ""]);
  });

  it("reads a file anew that was replaced or cut under it", async () => {
    await using subject = await createSubject();
    const journal = await subject.open();
    const [target = ""] = subject.targets;
    await journal.append([entry(1), entry(2)]);
    await writeFile(`${target}.new`, `${line(2)}\n`);
    await rename(`${target}.new`, target);
    await journal.append([entry(1), entry(2)]);
    expect(await subject.lines()).toEqual([line(2), line(1), ""]);
    await truncate(target, 0);
    await journal.append([entry(1)]);
    expect(await subject.lines()).toEqual([line(1), ""]);
  });

  it("refuses while a target is gone, though the other can be written", async () => {
    await using subject = await createSubject(2);
    const journal = await subject.open();
    await rm(subject.targets[1] ?? "");
    await expect(journal.append([entry(1)])).rejects.toEqual(kmsError("INTERNAL", /journal\.jsonl cannot be written/u));
    await writeFile(subject.targets[1] ?? "", "");
    await journal.append([entry(1)]);
    expect(await subject.lines(0)).toEqual([line(1), ""]);
    expect(await subject.lines(1)).toEqual([line(1), ""]);
  });

  it("refuses to open a target that is no file", async () => {
    await using subject = await createSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    const options = { targets: [tmpdir()], writeLine: () => "", identify, readId, erases, erasedBy };
    await expect(openJournal(options)).rejects.toEqual(kmsError("INTERNAL"));
  });

  it("writes what was given before it closed, and nothing after", async () => {
    await using subject = await createSubject();
    const journal = await subject.open();
    await Promise.all([journal.append([entry(1)]), journal[Symbol.asyncDispose]()]);
    await expect(journal.append([entry(2)])).rejects.toEqual(kmsError("SHUTTING_DOWN"));
    expect(await subject.lines()).toEqual([line(1), ""]);
  });

  it("takes the lines of a version away when its tombstone comes, and leaves the others byte for byte", async () => {
    await using subject = await createSubject(2);
    const journal = await subject.open();
    await journal.append([entry(1), entry(2)]);
    await appendFile(subject.targets[0] ?? "", "nobody's line\n");
    await journal.append([entry(3)]);
    await journal.append([tombstone(2)]);
    expect(await subject.lines(0)).toEqual([line(1), "nobody's line", line(3), stone(2), ""]);
    expect(await subject.lines(1)).toEqual([line(1), line(3), stone(2), ""]);
    expect((await stat(subject.targets[0] ?? "")).mode & 0o777).toBe(0o600);
    await journal.append([tombstone(2), entry(4)]);
    expect(await subject.lines(1)).toEqual([line(1), line(3), stone(2), line(4), ""]);
  });

  it("does not tell again what a tombstone has taken the place of", async () => {
    await using subject = await createSubject();
    const journal = await subject.open();
    await journal.append([entry(1)]);
    const other = await subject.open();
    await other.append([tombstone(1)]);
    await journal.append([entry(1), entry(2)]);
    expect(await subject.lines()).toEqual([stone(1), line(2), ""]);
  });

  it("loses no line when several processes append while others rewrite", async () => {
    await using subject = await createSubject();
    const journals = [await subject.open(), await subject.open(), await subject.open()];
    const count = 24;
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const journal = journals[n % journals.length];
        await journal?.append([entry(n + 1)]);
        if (n % 4 === 0) await journals[(n + 1) % journals.length]?.append([tombstone(n + 1)]);
      }),
    );
    const told = (await subject.lines()).slice(0, -1);
    const wanted = Array.from({ length: count }, (_, n) => (n % 4 === 0 ? stone(n + 1) : line(n + 1)));
    expect(told.toSorted()).toEqual(wanted.toSorted());
  });

  it("removes what a rewriting that was cut off has left", async () => {
    await using subject = await createSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    const remains = `${subject.targets[0] ?? ""}.0123456789abcdef.tmp`;
    await writeFile(remains, `${line(1)}\n`);
    await subject.open();
    await expect(stat(remains)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
