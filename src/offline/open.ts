import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import type { Provider } from "#core/provider.ts";
import { type FrameHeader, parseFrame } from "#envelope/header.ts";
import { open as openPortable } from "#envelope/portable.ts";
import { readJournal, type TombstoneLine, type VersionLine } from "#envelope/read-journal.ts";
import { decodeText } from "#envelope/text.ts";
import { openVersionKey } from "#envelope/version-seal.ts";
import type { OfflineHost } from "./host.ts";
import { requireConfig } from "./load-config.ts";
import { openBranchKey } from "./open-branch-key.ts";
import { openProvider } from "./open-provider.ts";

export type OpenOptions = {
  /** `clv1.…` */
  readonly ciphertext: string;
  readonly journal: string;
  /** Absent: the configuration that a gateway runs without any. */
  readonly config?: string;
  readonly provider: string;
  readonly context: Readonly<Record<string, string>>;
};

/**
 * Opens a portable ciphertext with nothing but a journal and one provider's credentials: no gateway, no database. A local provider without a
 * folder of its own is looked for beside the journal, where the gateway keeps it.
 *
 * The lines of the journal are claims until they open: the wrap must give its commitment, the seal its key, and the message its own. Lines
 * that do not read are passed over, and named if nothing opens without them.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`; `KEY_NOT_FOUND` where the journal has no seal of the key version; `KEY_DESTROYED` where it has its tombstone; `NO_PROVIDER` where the provider
 *   opens no wrap; `INVALID_ARGUMENT`, `NOT_FOUND` for a configuration or provider that is none; `INTEGRITY_FAILURE` for a damaged journal
 */
export async function openOffline(options: OpenOptions, host: OfflineHost): Promise<Buffer> {
  const bytes = decodeText(options.ciphertext);
  const header = parseFrame(bytes);
  if (header.suite !== "message" && header.suite !== "stream") throw ciphertextInvalid();
  const config = await requireConfig(options.config, host);
  const damaged: KmsError[] = [];
  const { lines } = readJournal(await readJournalFile(options.journal), new Map(), (fault) => damaged.push(fault));
  const versions = lines.filter((line) => line.type === "version").filter((line) => isOf(line, header));
  const stone = lines.filter((line) => line.type === "tombstone").find((line) => isOf(line, header));
  if (stone !== undefined) throw destroyed(stone);
  if (versions.length === 0) throw damaged[0] ?? noSeal(header);
  await using provider = await openProvider(config, options.provider, dirname(resolve(options.journal)));
  const failures: unknown[] = [];
  for (const version of versions.toReversed()) {
    try {
      const branchKey = await openBranchKey(lines, version, { name: options.provider, provider, call: callOf });
      return openMessage({ bytes, header, version, branchKey, context: contextOf(options.context) });
    } catch (error) {
      failures.push(error);
    }
  }
  throw mostTelling([...failures, ...damaged], provider);
}

function isOf({ key, version }: VersionLine | TombstoneLine, header: FrameHeader): boolean {
  return key === header.keyUuid && version === header.keyVersion;
}

type MessageInput = {
  readonly bytes: Buffer;
  readonly header: FrameHeader;
  readonly version: VersionLine;
  readonly branchKey: Buffer;
  readonly context: Context;
};

function openMessage({ bytes, version, branchKey, context }: MessageInput): Buffer {
  const { seal, namespace, key, branch, branchVersion } = version;
  let versionKey: Buffer | undefined;
  try {
    versionKey = openVersionKey({ branchKey, seal, namespace, key, version: version.version, branch, branchVersion });
    return openPortable({ bytes, versionKey, context });
  } finally {
    versionKey?.fill(0);
    branchKey.fill(0);
  }
}

const TIMEOUT_MS = 30_000;

function callOf(): { readonly signal: AbortSignal; readonly requestId: string } {
  return { signal: AbortSignal.timeout(TIMEOUT_MS), requestId: `open-${randomUUID()}` };
}

function contextOf(context: Readonly<Record<string, string>>): Context {
  const pairs = new Map(Object.entries(context));
  return pairs.size === 0 ? NO_CONTEXT : { kind: "map", pairs };
}

async function readJournalFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new KmsError("INVALID_ARGUMENT", `${path} cannot be read (${code})`, {
      help: "name the journal of the gateway",
      cause,
    });
  }
}

function destroyed({ key, version, keyName, createTime }: TombstoneLine): KmsError {
  const time = new Date(createTime).toISOString();
  return new KmsError("KEY_DESTROYED", `version ${version} of key_${key} (${keyName}) was destroyed on ${time}`, {
    metadata: { key: `key_${key}`, keyVersion: String(version) },
  });
}

function noSeal({ keyUuid, keyVersion }: FrameHeader): KmsError {
  const metadata = { key: `key_${keyUuid}`, keyVersion: String(keyVersion) };
  const help = "give a journal of the gateway that made it; every gateway's journal is whole";
  return new KmsError("KEY_NOT_FOUND", `the journal has no version ${keyVersion} of key_${keyUuid}`, {
    metadata,
    help,
  });
}

/** What says most of several lines that did not open: a verdict on the ciphertext before one on a line. */
function mostTelling(failures: readonly unknown[], provider: Provider): KmsError {
  const known = failures.filter((failure) => failure instanceof KmsError);
  const verdict =
    known.find(({ code }) => code === "CIPHERTEXT_INVALID") ??
    known.find(({ code }) => code !== "NO_PROVIDER") ??
    known[0];
  return verdict ?? new KmsError("INTERNAL", `something went wrong with ${provider.kind}`, { cause: failures[0] });
}
