import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "#config/parse.ts";
import { keyIdOf } from "#core/ids.ts";
import type { Provider } from "#core/provider.ts";
import { readJournal, type VersionLine } from "#envelope/read-journal.ts";
import { deriveRowKey } from "#envelope/root-key.ts";
import { openVersionKey } from "#envelope/version-seal.ts";
import { openBranchKey } from "#offline/open-branch-key.ts";
import { openProvider } from "#offline/open-provider.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";

/** Key id and version, as `key_…@1`. */
export type KeyVersion = string;

/**
 * Reads the journal of a data folder with nothing but one provider: every line must carry an HMAC of the root key, which is itself opened from
 * the journal, and every version's seal must open. Answers what the journal opens.
 */
export async function openWholeJournal(
  data: string,
  { config, provider: name }: { readonly config: string; readonly provider: string },
): Promise<ReadonlySet<KeyVersion>> {
  const text = await readFile(join(data, "journal.jsonl"), "utf8");
  const parsed = await parseConfig({ text: config, kinds: PROVIDER_KINDS, environment: {}, readFile: () => "" });
  if (!parsed.ok) throw new Error("the configuration does not parse");
  await using provider = await openProvider(parsed.config, name, data);
  const { lines: claims } = readJournal(text);
  const root = claims.find((line) => line.type === "version" && line.namespaceName === "system");
  if (root?.type !== "version") throw new Error("the journal does not tell of the root key");
  const rowKey = deriveRowKey(await openSeal(claims, root, { name, provider }));
  const { lines } = readJournal(text, new Map([[root.rootVersion, rowKey]]));
  if (!lines.every(({ authenticated }) => authenticated)) throw new Error("a line is under another root key");
  const opened = new Set<KeyVersion>();
  for (const line of lines) {
    if (line.type !== "version") continue;
    await openSeal(lines, line, { name, provider });
    opened.add(`${keyIdOf(line.key)}@${line.version}`);
  }
  return opened;
}

type Opener = { readonly name: string; readonly provider: Provider };

async function openSeal(
  lines: Parameters<typeof openBranchKey>[0],
  line: VersionLine,
  { name, provider }: Opener,
): Promise<Buffer> {
  const call = () => ({ signal: AbortSignal.timeout(10_000), requestId: randomUUID() });
  const branchKey = await openBranchKey(lines, line, { name, provider, call });
  return openVersionKey({ branchKey, ...line });
}
