import { hash } from "node:crypto";
import { readFile, truncate } from "node:fs/promises";
import type { Catalog } from "#core/catalog.ts";
import { type KeyId, keyIdOf, uuidOfKey } from "#core/ids.ts";
import type { Journal, JournalEntry } from "#core/journal.ts";
import { SYSTEM_NAMESPACE } from "#broker/namespaces.ts";
import { writeJournalLine } from "#envelope/journal-line.ts";
import { type ParsedLine, readJournalLine } from "#envelope/read-journal.ts";
import { openJournal } from "#store/journal.ts";
import type { RootKey } from "./root.ts";

const SLICE = 1000;

export type JournalParts = {
  readonly targets: readonly string[];
  /** Lines are written under the last of them. */
  readonly roots: readonly RootKey[];
  /** Told of a line that does not verify; what it told is then told again. */
  readonly onDamaged: () => void;
  /**
   * Told when a target was cut or replaced while it was open: then everything must be told again. `erased`: another gateway has rewritten it
   * without what was destroyed.
   */
  readonly onReplaced?: (replaced: { readonly erased: boolean }) => void;
};

/** Opens the journal of a gateway: lines carry the HMAC of the newest root key, and those that are there are checked with theirs. */
export async function openGatewayJournal(parts: JournalParts): Promise<Journal> {
  const { targets, roots, onDamaged, onReplaced } = parts;
  const rowKeys = new Map(roots.map(({ version, rowKey }) => [version, rowKey]));
  const current = roots.reduce((a, b) => (b.version > a.version ? b : a));
  return await openJournal({
    targets,
    writeLine: (entry) => writeJournalLine(entry, { rowKey: current.rowKey, rootVersion: current.version }),
    identify: identifyEntry,
    erases,
    erasedBy: (entry) => (entry.type === "version" ? tombstoneName(entry.key.id, entry.version.version) : undefined),
    onReplaced: (fresh) => onReplaced?.({ erased: fresh.some((id) => id.startsWith(TOMBSTONE)) }),
    readId: (line) => {
      const parsed = readVerified(line, rowKeys);
      if (parsed === undefined) onDamaged();
      return parsed === undefined ? undefined : identifyLine(parsed);
    },
  });
}

/** Appends whatever the catalog knows and the journal does not tell: what other processes made, and what was cut off. */
export async function completeJournal(journal: Journal, catalog: Catalog): Promise<void> {
  let slice: JournalEntry[] = [];
  for (const entry of entriesOf(catalog)) {
    slice.push(entry);
    if (slice.length < SLICE) continue;
    await journal.append(slice);
    slice = [];
  }
  if (slice.length > 0) await journal.append(slice);
}

/** Whether a journal holds keys of anybody but the gateway itself. */
export async function journalHasKeys(targets: readonly string[]): Promise<boolean> {
  for (const target of targets) {
    const text = await readFile(target, "utf8").catch(() => "");
    if (text.split("\n").some((line) => isUserKey(line))) return true;
  }
  return false;
}

function isUserKey(line: string): boolean {
  const parsed = findClaim(line);
  return parsed?.type === "version" && parsed.namespaceName !== SYSTEM_NAMESPACE;
}

/**
 * Empties the targets that tell of nothing but the gateway's own root key: of a first start that was cut off before the database had it.
 * That root key sealed nothing, and its lines would never verify again.
 */
export async function forgetUnfinishedStart(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const text = await readFile(target, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line, index, all) => line !== "" && index < all.length - 1);
    if (lines.length > 0 && lines.every((line) => findClaim(line)?.namespaceName === SYSTEM_NAMESPACE))
      await truncate(target);
  }
}

/**
 * Which lines a tombstone is in place of: the seals of its key version, verified or not, and what is too damaged to be read but names the key.
 */
function erases(entry: JournalEntry): ((line: string) => boolean) | undefined {
  if (entry.type !== "tombstone") return undefined;
  const key = uuidOfKey(entry.key.id);
  const { version } = entry.version;
  return (line) => {
    if (!line.includes(key)) return false;
    const parsed = findClaim(line);
    return parsed === undefined || (parsed.type === "version" && parsed.key === key && parsed.version === version);
  };
}

/** What a line says, whether or not it is true; undefined for one that is damaged, which opens nothing either. */
function findClaim(line: string): ParsedLine | undefined {
  try {
    return readJournalLine(line);
  } catch {
    return undefined;
  }
}

function readVerified(line: string, rowKeys: ReadonlyMap<number, Uint8Array>): ParsedLine | undefined {
  try {
    const parsed = readJournalLine(line, { rowKey: rowKeys });
    return parsed.authenticated ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const TOMBSTONE = "tombstone/";

function tombstoneName(key: KeyId, version: number): string {
  return `${TOMBSTONE}${key}/${version}`;
}

/** What an entry tells, down to its bytes: two makers of one version tell two things, of which one came to count. */
function identifyEntry(entry: JournalEntry): string {
  switch (entry.type) {
    case "branch":
      return digest("branch", entry.branch.id, entry.branchVersion.version, entry.branchVersion.commitment);
    case "wrap":
      return digest("wrap", entry.wrap.branch, entry.wrap.branchVersion, entry.wrap.wrap);
    case "version":
      return digest("version", entry.key.id, entry.version.version, entry.version.seal ?? "");
    case "tombstone":
      return tombstoneName(entry.key.id, entry.version.version);
  }
}

function identifyLine(line: ParsedLine): string {
  switch (line.type) {
    case "branch":
      return digest("branch", line.branch, line.branchVersion, line.commitment.toString("base64"));
    case "wrap":
      return digest("wrap", line.branch, line.branchVersion, line.wrap.toString("base64"));
    case "version":
      return digest("version", keyIdOf(line.key), line.version, line.seal.toString("base64"));
    case "tombstone":
      return tombstoneName(keyIdOf(line.key), line.version);
  }
}

function digest(...parts: readonly (string | number)[]): string {
  return hash("sha256", parts.join("|"), "base64").slice(0, 24);
}

function* entriesOf(catalog: Catalog): Generator<JournalEntry> {
  for (const branch of catalog.branches()) {
    const namespace = catalog.namespace(branch.namespace);
    if (namespace === undefined) continue;
    for (const branchVersion of catalog.branchVersions(branch.id)) {
      yield { type: "branch", namespace, branch, branchVersion };
      for (const wrap of catalog.wraps(branch.id, branchVersion.version)) {
        const recipient = catalog.recipient(wrap.recipient);
        if (recipient !== undefined)
          yield { type: "wrap", namespace, recipient, wrap, commitment: branchVersion.commitment };
      }
    }
  }
  for (const namespace of catalog.namespaces()) {
    for (const key of catalog.keys(namespace.name)) {
      for (const version of catalog.versions(key.id)) {
        if (version.branch === null) continue;
        yield { type: version.seal === null ? "tombstone" : "version", namespace, key, version };
      }
    }
  }
}
