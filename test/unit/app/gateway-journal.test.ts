import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openGatewayJournal } from "#app/gateway-journal.ts";
import { parseUuid } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import { writeJournalLine } from "#envelope/journal-line.ts";

const id = parseUuid("01890a5d-ac96-774b-bcce-b302099a8059");
const namespace = {
  id,
  name: "default",
  dualControl: false,
  approvers: 1,
  activation: "automatic",
  createTime: 1,
} as const;
const branch = {
  id,
  namespace: "default",
  recipients: [],
  minimum: 1,
  threshold: 1,
  route: "default",
  dedicatedTo: null,
} as const;
const commitment = Buffer.alloc(32, 5).toString("base64");
const entry: JournalEntry = {
  type: "branch",
  namespace,
  branch: { ...branch, primaryVersion: 1, createTime: 2 },
  branchVersion: { branch: id, version: 1, commitment, origin: ["gateway"], createTime: 3 },
};
const rootOf = (version: number) => ({ version, material: Buffer.alloc(32, 1), rowKey: Buffer.alloc(32, version) });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claviger-journal-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it.each([
  {
    name: "nothing of what it verifies",
    line: () => writeJournalLine(entry, { rowKey: rootOf(2).rowKey, rootVersion: 2 }),
    again: 0,
  },
  {
    name: "what is under a root key that it does not have",
    line: () => writeJournalLine(entry, { rowKey: rootOf(3).rowKey, rootVersion: 3 }),
    again: 1,
  },
  {
    name: "what is under another key than its root version's",
    line: () => writeJournalLine(entry, { rowKey: rootOf(1).rowKey, rootVersion: 2 }),
    again: 1,
  },
  { name: "what it cannot read", line: () => "{}", again: 1 },
])("tells again $name", async ({ name, line, again }) => {
  const target = join(folder, `${name}.jsonl`);
  await appendFile(target, `${line()}\n`);
  let damaged = 0;
  await using journal = await openGatewayJournal({
    targets: [target],
    roots: [rootOf(1), rootOf(2)],
    onDamaged: () => (damaged += 1),
  });
  await journal.append([entry]);
  expect(damaged).toBe(again);
  expect((await readFile(target, "utf8")).split("\n")).toHaveLength(2 + again);
});
