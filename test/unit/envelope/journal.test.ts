import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "#core/canonical-json.ts";
import type { JournalEntry } from "#core/journal.ts";
import { writeJournalLine } from "#envelope/journal-line.ts";
import { readJournal, readJournalLine } from "#envelope/read-journal.ts";
import { deriveRowKey } from "#envelope/root-key.ts";
import { BRANCH, countingKey, flipped, KEY, NAMESPACE, RECIPIENT, refusalOf, ROOT_KEY } from "./fixtures.ts";
import { BINDING, branchEntry, versionEntry, wrapEntry } from "./journal-entries.ts";

const rowKey = deriveRowKey(ROOT_KEY);
const root = { rowKey, rootVersion: 1 };
const entries: readonly JournalEntry[] = [branchEntry, wrapEntry, versionEntry];
const lines = entries.map((entry) => writeJournalLine(entry, root));
const [branchLine, wrapLine, versionLine] = lines as [string, string, string];
const text = lines.map((line) => `${line}\n`).join("");

/** A line with other members, under an HMAC that fits. */
function forged(line: string, changes: Record<string, string | number | null | undefined>): string {
  const { hmac: _, ...members } = { ...(JSON.parse(line) as Record<string, string>), ...changes };
  const hmac = createHmac("sha256", rowKey).update(canonicalJson(members)).digest("base64");
  return canonicalJson({ ...members, hmac });
}

describe("a line of the journal", () => {
  it("is canonical JSON whose HMAC is over all its other members", () => {
    for (const line of lines) {
      const { hmac, ...members } = JSON.parse(line) as Record<string, string>;
      expect(line).toBe(canonicalJson({ ...members, hmac }));
      expect(hmac).toBe(createHmac("sha256", rowKey).update(canonicalJson(members)).digest("base64"));
    }
  });

  it("tells of a branch version", () => {
    expect(readJournalLine(branchLine, { rowKey })).toEqual({
      type: "branch",
      namespace: NAMESPACE,
      namespaceName: "default",
      rootVersion: 1,
      authenticated: true,
      createTime: 1_700_000_000_002,
      branch: BRANCH,
      branchVersion: 2,
      commitment: countingKey(0x60),
      recipients: [
        { provider: "aws-eu", uid: "aws:111122223333:eu-central-1" },
        { provider: "local", uid: null },
      ],
      minimum: 2,
      threshold: 1,
      dedicatedTo: KEY,
      origin: ["gateway", "aws:111122223333:eu-central-1"],
    });
  });

  it("tells of a wrap", () => {
    expect(readJournalLine(wrapLine, { rowKey })).toEqual({
      type: "wrap",
      namespace: NAMESPACE,
      namespaceName: "default",
      rootVersion: 1,
      authenticated: true,
      createTime: 1_700_000_000_003,
      branch: BRANCH,
      branchVersion: 2,
      recipient: RECIPIENT,
      binding: BINDING,
      providerUid: "aws:111122223333:eu-central-1",
      nativeRef: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1",
      commitment: countingKey(0x60),
      wrap: Buffer.from("the provider's own bytes"),
    });
  });

  it("tells of a key version", () => {
    expect(readJournalLine(versionLine, { rowKey })).toEqual({
      type: "version",
      namespace: NAMESPACE,
      namespaceName: "default",
      rootVersion: 1,
      authenticated: true,
      createTime: 1_700_000_000_004,
      branch: BRANCH,
      branchVersion: 2,
      key: KEY,
      version: 7,
      seal: Buffer.alloc(40, 0x33),
      keyName: "invoices",
      aliases: ["billing/invoices"],
      purpose: "encrypt",
      algorithm: "AES-256-GCM",
      custody: { kind: "portable", holders: ["aws-eu", "local"], minimum: 2, threshold: 1, dedicated: true },
      route: "default",
    });
  });

  it("is read without K_row too, and then says that nothing was authenticated", () => {
    expect(lines.map((line) => readJournalLine(line).authenticated)).toEqual([false, false, false]);
  });

  it("is refused with a bit flipped in any byte", () => {
    for (const line of lines) {
      const bytes = Buffer.from(line);
      for (let bit = 0; bit < bytes.length * 8; bit += 7) {
        const edited = flipped(bytes, bit).toString("latin1");
        expect(refusalOf(() => readJournalLine(edited, { rowKey })).code).toBe("INTEGRITY_FAILURE");
      }
    }
  });

  it.each([
    { name: "white space", edit: (line: string) => line.replace(",", ", ") },
    { name: "a member twice", edit: (line: string) => line.replace("{", '{"branchVersion":2,') },
    {
      name: "members in another order",
      edit: (line: string) => line.replace(/^\{("binding":"[^"]*"),(.*)\}$/u, "{$2,$1}"),
    },
    {
      name: "another spelling of a number",
      edit: (line: string) => line.replace('"rootVersion":1', '"rootVersion":1.0'),
    },
    { name: "no JSON", edit: () => "wraps: none" },
    { name: "a list", edit: () => "[]" },
    { name: "nothing", edit: () => "" },
  ])("is refused with $name", ({ edit }) => {
    expect(edit(wrapLine)).not.toBe(wrapLine);
    expect(refusalOf(() => readJournalLine(edit(wrapLine))).code).toBe("INTEGRITY_FAILURE");
  });

  it.each([
    { name: "an unknown type", line: forged(wrapLine, { type: "epitaph" }), says: 'unknown type "epitaph"' },
    { name: "no type", line: forged(wrapLine, { type: undefined }), says: "type: wanted a string" },
    { name: "no wrap", line: forged(wrapLine, { wrap: "" }), says: "wrap: wanted base64" },
    { name: "loose base64", line: forged(wrapLine, { wrap: "AB==" }), says: "wrap: wanted base64" },
    { name: "a short commitment", line: forged(wrapLine, { commitment: "AA==" }), says: "commitment: wanted base64" },
    { name: "a share", line: forged(wrapLine, { sharing: RECIPIENT }), says: "share of a threshold" },
    {
      name: "an id in upper case",
      line: forged(wrapLine, { branch: BRANCH.toUpperCase() }),
      says: "branch: wanted a uuid",
    },
    { name: "version 0", line: forged(versionLine, { version: 0 }), says: "version: wanted an integer" },
    {
      name: "a version beyond 32 bits",
      line: forged(versionLine, { version: 2 ** 32 }),
      says: "version: wanted an integer",
    },
    { name: "half a number", line: forged(versionLine, { createTime: 0.5 }), says: "createTime: wanted an integer" },
    {
      name: "a seal of 41 bytes",
      line: forged(versionLine, { seal: Buffer.alloc(41).toString("base64") }),
      says: "seal: wanted",
    },
    { name: "aliases that are no list", line: forged(versionLine, { aliases: "a" }), says: "aliases: wanted strings" },
    {
      name: "custody as a text",
      line: forged(versionLine, { custody: "portable" }),
      says: "custody: wanted an object",
    },
    {
      name: "recipients as a text",
      line: forged(branchLine, { recipients: "all" }),
      says: "recipients: wanted a list",
    },
  ])("is refused with $name, even under an HMAC that fits", ({ line, says }) => {
    const refusal = refusalOf(() => readJournalLine(line, { rowKey, lineNumber: 12 }));
    expect(refusal.code).toBe("INTEGRITY_FAILURE");
    expect(refusal.publicMessage).toContain("line 12 of the journal: ");
    expect(refusal.publicMessage).toContain(says);
  });

  it("keeps members that are not known yet under its HMAC", () => {
    const line = forged(wrapLine, { yetToCome: "x" });
    expect(readJournalLine(line, { rowKey })).toEqual(readJournalLine(wrapLine, { rowKey }));
    const edited = line.replace('"yetToCome":"x"', '"yetToCome":"y"');
    expect(refusalOf(() => readJournalLine(edited, { rowKey })).publicMessage).toContain("hmac");
  });

  it("is refused under another K_row", () => {
    expect(refusalOf(() => readJournalLine(wrapLine, { rowKey: countingKey(3) })).publicMessage).toContain("hmac");
  });

  it("is not written under a K_row that was dropped, nor for a version without a seal", () => {
    expect(refusalOf(() => writeJournalLine(wrapEntry, { rowKey: Buffer.alloc(32), rootVersion: 1 })).code).toBe(
      "INTERNAL",
    );
    const native: JournalEntry = { ...versionEntry, version: { ...versionEntry.version, seal: null } };
    expect(refusalOf(() => writeJournalLine(native, root)).code).toBe("INTERNAL");
  });
});

describe("a journal", () => {
  const rowKeys = new Map([[1, rowKey]]);

  it("gives its lines in order", () => {
    const { lines: read, unfinished } = readJournal(text, rowKeys);
    expect(read.map(({ type, authenticated }) => [type, authenticated])).toEqual([
      ["branch", true],
      ["wrap", true],
      ["version", true],
    ]);
    expect(unfinished).toBe(false);
    expect(readJournal("", rowKeys)).toEqual({ lines: [], unfinished: false });
  });

  it("authenticates each line under the root version that it names", () => {
    const other = deriveRowKey(countingKey(0x41));
    const mixed = `${branchLine}\n${writeJournalLine(wrapEntry, { rowKey: other, rootVersion: 2 })}\n`;
    const authenticated = (keys: ReadonlyMap<number, Buffer>): readonly boolean[] =>
      readJournal(mixed, keys).lines.map((line) => line.authenticated);
    expect(authenticated(new Map([...rowKeys, [2, other]]))).toEqual([true, true]);
    expect(authenticated(rowKeys)).toEqual([true, false]);
    expect(refusalOf(() => authenticated(new Map([[2, rowKey]]))).publicMessage).toContain("line 2 ");
  });

  it("cut anywhere gives the lines before, and says that the last one is unfinished", () => {
    const ends = lines.map((_, index) => lines.slice(0, index + 1).join("\n").length);
    const borders = ends.flatMap((end) => [end - 2, end - 1, end, end + 1, end + 2]);
    const steps = Array.from({ length: Math.ceil(text.length / 11) }, (_, index) => index * 11);
    for (const length of [...steps, ...borders]) {
      const cut = text.slice(0, length);
      const { lines: read, unfinished } = readJournal(cut, rowKeys);
      const whole = lines.filter((_, index) => cut.startsWith(lines.slice(0, index + 1).join("\n"))).length;
      expect(read.length).toBe(whole);
      expect(unfinished).toBe(cut !== "" && !cut.endsWith("\n") && !lines.includes(cut.split("\n").at(-1) ?? ""));
    }
  });

  it("names the line that was edited, the last one too", () => {
    const broken = (at: number, tail = "\n"): string =>
      lines.map((line, index) => (index === at ? line.slice(0, -10) : line)).join("\n") + tail;
    for (const at of [0, 1, 2]) {
      expect(refusalOf(() => readJournal(broken(at), rowKeys)).publicMessage).toContain(
        `line ${at + 1} of the journal`,
      );
    }
    expect(readJournal(broken(2, ""), rowKeys).unfinished).toBe(true);
    const edited = text.replace("invoices", "invoicez").slice(0, -1);
    expect(refusalOf(() => readJournal(edited, rowKeys)).publicMessage).toContain("line 3 of the journal");
  });

  it("has no empty lines", () => {
    expect(refusalOf(() => readJournal(`${branchLine}\n\n`, rowKeys)).publicMessage).toContain("line 2 of the journal");
  });
});
