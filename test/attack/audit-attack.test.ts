/** What somebody who can write the folder of the trail may try, and what the verifier says of it. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Chain } from "#audit/chain.ts";
import { type Checkpoint, lineHash } from "#audit/record.ts";
import { type AuditFinding, type AuditReport, verifyAuditTrail } from "#audit/verify.ts";
import { auditEvent, TrailFixture } from "../unit/audit/trail-fixture.ts";

const fixture = new TrailFixture();
const anchor = join(fixture.root, "anchor.jsonl");
const pristine = join(fixture.root, "pristine");
let files: readonly string[] = [];
let attacks = 0;

beforeAll(async () => {
  for (let start = 0; start < 2; start++) {
    await using trail = fixture.open({ anchors: [anchor], limits: { segmentBytes: 3000, checkpointRecords: 5 } });
    for (let index = 0; index < 10; index++) {
      await trail.append(auditEvent({ requestId: `r${start}-${index}`, keyVersion: 10 + index }));
      fixture.time.advance(10);
    }
  }
  renameSync(fixture.folder, pristine);
  files = listOf(pristine);
});
afterAll(() => {
  fixture[Symbol.dispose]();
});

function listOf(folder: string): readonly string[] {
  cpSync(folder, fixture.folder, { recursive: true });
  const list = fixture.files();
  rmSync(fixture.folder, { recursive: true });
  return list;
}

/** Verifies a copy of the trail after somebody was there. */
async function after(attack: (folder: string) => void, { anchored = false } = {}): Promise<AuditReport> {
  const folder = join(fixture.root, `attack-${attacks++}`);
  cpSync(pristine, folder, { recursive: true });
  attack(folder);
  const publicKeys = [createPublicKey(fixture.signingKey)];
  const report = await verifyAuditTrail({ folder, publicKeys, anchors: anchored ? [anchor] : [] });
  rmSync(folder, { recursive: true });
  return report;
}

function linesOf(file: string): string[] {
  return readFileSync(join(pristine, file), "utf8").split("\n").slice(0, -1);
}

/** Replaces the lines of one file. */
function rewriting(file: string, change: (lines: string[]) => readonly string[]): (folder: string) => void {
  return (folder) =>
    writeFileSync(
      join(folder, file),
      change(linesOf(file))
        .map((line) => `${line}\n`)
        .join(""),
    );
}

const everyLine = (): readonly { file: string; index: number; line: string }[] =>
  files.flatMap((file) => linesOf(file).map((line, index) => ({ file, index, line })));

const found = (report: AuditReport, where: Partial<AuditFinding>): boolean =>
  report.findings.some((finding) =>
    Object.entries(where).every(([name, value]) => finding[name as keyof AuditFinding] === value),
  );

describe("the verifier", () => {
  it("finds nothing wrong with the trail as it was written, over several segments and a restart", async () => {
    const report = await after(() => undefined, { anchored: true });
    expect(report).toMatchObject({
      ok: true,
      findings: [],
      chains: [{ closed: true, unsigned: null, unanchored: null }],
    });
    expect(files.length).toBeGreaterThan(3);
    expect(report.records).toBe(everyLine().length);
  });

  it("finds every edited record, at its line", async () => {
    for (const { file, index } of everyLine()) {
      const edit = (lines: string[]): string[] =>
        lines.with(index, lines[index]?.replace(/"time":(\d)/u, '"time":9') ?? "");
      const report = await after(rewriting(file, edit));
      const where = `${file}:${index + 1}`;
      const kinds = report.findings
        .filter((finding) => finding.file === file && finding.line === index + 1)
        .map(({ kind }) => kind);
      expect([where, kinds.includes("edited") || kinds.includes("forged")]).toEqual([where, true]);
    }
  });

  it("finds every changed byte of a record, a header and a checkpoint", async () => {
    const [file = ""] = files;
    const lines = linesOf(file);
    const targets = [0, 1, lines.findIndex((line) => line.includes('"checkpoint"')), lines.length - 1];
    for (const index of targets) {
      for (let at = 0; at < (lines[index]?.length ?? 0); at += 7) {
        const line = lines[index] ?? "";
        const changed = line.slice(0, at) + String.fromCharCode(line.charCodeAt(at) ^ 1) + line.slice(at + 1);
        const report = await after(rewriting(file, (all) => all.with(index, changed)));
        expect([index, at, report.ok]).toEqual([index, at, false]);
      }
    }
  });

  it("finds white space added to the last checkpoint", async () => {
    const file = files.at(-1) ?? "";
    const report = await after(
      rewriting(file, (lines) => [...lines.slice(0, -1), lines.at(-1)?.replace(",", ", ") ?? ""]),
    );
    expect(report.findings).toEqual([expect.objectContaining({ kind: "forged", line: linesOf(file).length })]);
  });

  it("finds every removed record", async () => {
    for (const { file, index } of everyLine()) {
      const isLast = file === files.at(-1) && index === linesOf(file).length - 1;
      const report = await after(
        rewriting(file, (lines) => lines.toSpliced(index, 1)),
        { anchored: isLast },
      );
      const kinds = report.findings.map(({ kind }) => kind);
      const atEnd = index === linesOf(file).length - 1;
      expect([file, index, kinds]).toEqual([file, index, [atEnd ? "truncated" : "removed"]]);
    }
  });

  it("finds every two records that changed places", async () => {
    for (const { file, index } of everyLine()) {
      const lines = linesOf(file);
      const [one, two] = [lines[index], lines[index + 1]];
      if (one === undefined || two === undefined) continue;
      const report = await after(rewriting(file, (all) => all.with(index, two).with(index + 1, one)));
      expect([file, index, found(report, { kind: "reordered", file, line: index + 1 })]).toEqual([file, index, true]);
    }
  });

  it("finds a record that is repeated, moved to another segment, or made up", async () => {
    const [one = "", two = ""] = files;
    const stolen = linesOf(one)[3] ?? "";
    for (const change of [
      rewriting(one, (lines) => lines.toSpliced(5, 0, stolen)),
      rewriting(two, (lines) => lines.toSpliced(5, 0, stolen)),
      rewriting(two, (lines) => [...lines, stolen]),
      rewriting(two, (lines) => lines.toSpliced(5, 0, '{"made":"up"}')),
      rewriting(two, (lines) => lines.toSpliced(5, 0, lines[4]?.replace('"r0-', '"r9-') ?? "")),
    ]) {
      expect((await after(change)).ok).toBe(false);
    }
  });

  it("finds a file that was cut, wherever it was", async () => {
    for (const file of files) {
      const bytes = readFileSync(join(pristine, file));
      for (let length = 0; length < bytes.length; length += 331) {
        const cut = (folder: string): void => writeFileSync(join(folder, file), bytes.subarray(0, length));
        const report = await after(cut, { anchored: true });
        const kinds = new Set(report.findings.map(({ kind }) => kind));
        expect([file, length, kinds.has("truncated") || kinds.has("removed")]).toEqual([file, length, true]);
      }
    }
  });

  it("finds a deleted segment, the first and the last too where they are anchored", async () => {
    for (const file of files) {
      const report = await after((folder) => rmSync(join(folder, file)), { anchored: file === files.at(-1) });
      const kind = file === files.at(-1) ? "truncated" : "removed";
      expect([file, report.findings.map((finding) => finding.kind)]).toEqual([file, expect.arrayContaining([kind])]);
    }
    const all = await after((folder) => rmSync(folder, { recursive: true }) ?? mkdirSync(folder), { anchored: true });
    expect(all.findings[0]).toMatchObject({
      kind: "removed",
      detail: expect.stringContaining("there is no segment of gateway") as string,
    });
  });

  it("finds segments that changed places, were renamed or copied", async () => {
    const [one = "", two = ""] = files;
    const swapped = await after((folder) => {
      renameSync(join(folder, one), join(folder, "aside"));
      renameSync(join(folder, two), join(folder, one));
      renameSync(join(folder, "aside"), join(folder, two));
    });
    for (const file of [one, two]) expect(found(swapped, { kind: "reordered", file, line: 1 })).toBe(true);
    const renamed = await after((folder) =>
      renameSync(join(folder, one), join(folder, one.replace("-gateway-", "-other-"))),
    );
    expect(found(renamed, { kind: "reordered" })).toBe(true);
    const copied = await after((folder) =>
      copyFileSync(join(folder, one), join(folder, one.replace("-1.jsonl", "-99.jsonl"))),
    );
    expect(found(copied, { kind: "reordered" })).toBe(true);
  });

  it("finds a chain that was rewritten from an edit on, by the signatures", async () => {
    const [file = ""] = files;
    const report = await after(
      rewriting(file, (lines) => relinked(lines.with(2, lines[2]?.replace('"ok"', '"no"') ?? ""))),
    );
    const firstCheckpoint = linesOf(file).findIndex((line) => line.includes('"checkpoint"')) + 1;
    expect(report.findings[0]).toMatchObject({ kind: "forged", file, line: firstCheckpoint });
  });

  it("finds checkpoints that somebody signed with another key", async () => {
    const file = files.at(-1) ?? "";
    const { privateKey } = generateKeyPairSync("ed25519");
    const report = await after(rewriting(file, (lines) => resigned(lines, privateKey)));
    expect(found(report, { kind: "forged", file })).toBe(true);
    expect(report.findings[0]?.detail).toContain("which was not given");
  });

  it("finds a chain that was rewritten with the stolen signing key, by the anchor", async () => {
    const file = files.at(-1) ?? "";
    const edit = (lines: string[]): string[] => lines.with(2, lines[2]?.replace('"ok"', '"no"') ?? "");
    const rewrite = rewriting(file, (lines) => resigned(edit(lines), fixture.signingKey));
    expect((await after(rewrite)).ok).toBe(true);
    expect(found(await after(rewrite, { anchored: true }), { kind: "edited", file })).toBe(true);
  });

  it("finds a tail that was rewritten without its checkpoints, by the anchor", async () => {
    const file = files.at(-1) ?? "";
    const rewrite = rewriting(file, (lines) =>
      relinked(lines.map((line) => (line.includes('"checkpoint"') ? line.replace('"checkpoint"', '"event"') : line))),
    );
    expect((await after(rewrite)).chains).toMatchObject([
      { closed: false, unsigned: { from: expect.any(Number) as number } },
    ]);
    const report = await after(rewrite, { anchored: true });
    expect(found(report, { kind: "edited" })).toBe(true);
  });

  it("finds an anchor whose signature is not ours", async () => {
    const genuine = readFileSync(anchor, "utf8");
    try {
      writeFileSync(anchor, genuine.replace(/"time":\d/u, '"time":2'));
      const report = await after(() => undefined, { anchored: true });
      expect(report.findings).toEqual([expect.objectContaining({ kind: "forged", file: anchor, line: 1 })]);
    } finally {
      writeFileSync(anchor, genuine);
    }
  });

  it("misses checkpoints where nobody signed for more than a thousand records", async () => {
    const chain = new Chain({ process: "gateway", signingKey: fixture.signingKey, clock: fixture.time.clock });
    const text = chain.header(1, null) + Array.from({ length: 1200 }, () => chain.event(auditEvent())).join("");
    const report = await after((folder) => {
      for (const file of files) rmSync(join(folder, file));
      writeFileSync(join(folder, files[0] ?? ""), text);
    });
    expect(report.findings).toEqual([
      expect.objectContaining({ kind: "forged", detail: expect.stringContaining("missing") as string }),
    ]);
  });
});

/** The same records with every hash made to fit, as somebody without the signing key can. */
function relinked(lines: readonly string[]): string[] {
  const result: string[] = [];
  for (const line of lines) {
    const before = result.at(-1);
    const record = JSON.parse(line) as { previous: string; head?: string };
    if (before !== undefined) record.previous = lineHash(before);
    if (record.head !== undefined) record.head = record.previous;
    result.push(JSON.stringify(record));
  }
  return result;
}

/** The whole chain of a segment made anew with another key. */
function resigned(
  lines: readonly string[],
  signingKey: ReturnType<typeof generateKeyPairSync>["privateKey"],
): string[] {
  const first = JSON.parse(lines[0] ?? "") as { sequence: number; previous: string };
  const chain = new Chain({ process: "gateway", signingKey, clock: fixture.time.clock });
  chain.position = { sequence: first.sequence - 1, head: first.previous, unsigned: 0 };
  return lines.map((line) => {
    const {
      sequence: _s,
      previous: _p,
      ...members
    } = JSON.parse(line) as Record<string, unknown> & { type?: string; reason?: string };
    if (members.type === "checkpoint") return chain.checkpoint(members.reason as Checkpoint["reason"]).trimEnd();
    return chain.event(members as never).trimEnd();
  });
}
