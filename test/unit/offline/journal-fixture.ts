import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "#core/context.ts";
import type { JournalEntry } from "#core/journal.ts";
import { writeJournalLine } from "#envelope/journal-line.ts";
import { seal } from "#envelope/portable.ts";
import { encodeText } from "#envelope/text.ts";
import { sealVersionKey } from "#envelope/version-seal.ts";
import { branchCommitment, wrapContextDigest, writeWrapPayload } from "#envelope/wrap-payload.ts";
import { systemSources } from "#offline/system-sources.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import {
  BRANCH,
  fixedMessageIds,
  KEY,
  NAMESPACE,
  OTHER_ID,
  RECIPIENT,
  VERSION_KEY,
} from "../../unit/envelope/fixtures.ts";
import { branchEntry, versionEntry, wrapEntry } from "../../unit/envelope/journal-entries.ts";

const CALL = { signal: new AbortController().signal, requestId: "test" };
const VERSION = versionEntry.version.version;
const BRANCH_VERSION = branchEntry.branchVersion.version;
/** Nobody holds the lines against it here: they must prove themselves. */
const ROOT = { rowKey: randomBytes(32), rootVersion: 1 };

/** A data folder as a gateway leaves it: two software HSMs that hold one branch key, and the journal; no database. */
export class JournalFixture implements AsyncDisposable {
  readonly folder: string;
  readonly journal: string;
  readonly branchKey = randomBytes(32);

  private constructor(folder: string) {
    this.folder = folder;
    this.journal = join(folder, "journal.jsonl");
  }

  static async create(): Promise<JournalFixture> {
    const fixture = new JournalFixture(await mkdtemp(join(tmpdir(), "claviger-offline-")));
    const wraps = [await fixture.wrapBy("hsm-a", RECIPIENT), await fixture.wrapBy("hsm-b", OTHER_ID)];
    const recipients = wraps.map(({ recipient }, index) => ({
      provider: index === 0 ? "hsm-a" : "hsm-b",
      uid: recipient.providerUid,
    }));
    await fixture.writeJournal([
      { ...branchEntry, branch: { ...branchEntry.branch, recipients } },
      ...wraps,
      fixture.version(),
    ]);
    return fixture;
  }

  async writeJournal(entries: readonly JournalEntry[]): Promise<void> {
    await writeFile(this.journal, entries.map((entry) => `${writeJournalLine(entry, ROOT)}\n`).join(""));
  }

  /** The branch key under a new recipient of this HSM. */
  async wrapBy(
    name: string,
    recipient: typeof RECIPIENT,
    branchKey: Uint8Array = this.branchKey,
  ): Promise<typeof wrapEntry> {
    const parsed = localHsm.parseOptions({});
    if (!parsed.ok) throw new Error("no options are valid options");
    await using provider = await localHsm.open({
      name,
      options: parsed.options,
      dataFolder: this.folder,
      sources: systemSources(),
    });
    const { uid } = await provider.identify(CALL);
    const algorithm = provider.capabilities.recipientAlgorithm;
    const { ref } = await provider.keys.create({ algorithm, marker: recipient, description: "" }, CALL);
    const ids = { namespace: NAMESPACE, branch: BRANCH, branchVersion: BRANCH_VERSION, recipient };
    const payload = writeWrapPayload({ key: branchKey, ids });
    const { value: wrap } = await provider.wrapper.wrap({ ref, payload, context: wrapContextDigest(ids) }, CALL);
    return {
      ...wrapEntry,
      recipient: { ...wrapEntry.recipient, id: recipient, providerUid: uid, nativeRef: ref },
      wrap: { ...wrapEntry.wrap, recipient, wrap: wrap.toString("base64") },
      commitment: branchCommitment({ key: branchKey, ids }).toString("base64"),
    };
  }

  /** The line of the key version, sealed under a branch key. */
  version(branchKey: Uint8Array = this.branchKey): typeof versionEntry {
    const place = {
      branchKey,
      namespace: NAMESPACE,
      key: KEY,
      version: VERSION,
      branch: BRANCH,
      branchVersion: BRANCH_VERSION,
    };
    const sealed = sealVersionKey({ versionKey: VERSION_KEY, ...place }).toString("base64");
    return { ...versionEntry, version: { ...versionEntry.version, seal: sealed } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A ciphertext of the key version, as a gateway gave it. */
export function ciphertextOf(plaintext: Uint8Array, context: Context): string {
  const input = {
    versionKey: VERSION_KEY,
    keyUuid: KEY,
    keyVersion: VERSION,
    plaintext,
    messageIds: fixedMessageIds,
    context,
  };
  return encodeText(seal(input));
}
