import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { KmsError } from "#core/errors.ts";
import { uuidOfId, uuidOfKey, type BindingId, type Uuid } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import { hmac } from "./hmac.ts";
import { checkKey } from "./key-bytes.ts";

/** What a line says besides its `hmac`, by its members' names (docs/format.md § 9). */
export type JournalFields = { readonly [name: string]: Json | undefined };

/** The sharing id of a whole key: shares of a threshold have one of their own. */
export const NO_SHARING = "00000000-0000-0000-0000-000000000000";

/**
 * Writes one line of the journal, without its line feed: RFC 8785 JSON with the version of the root key and HMAC-SHA-256(K_row, the line
 * without `hmac`) in base64.
 *
 * @throws {KmsError} `INTERNAL` for a version without a seal: only portable keys are in the journal
 */
export function writeJournalLine(
  entry: JournalEntry,
  root: { readonly rowKey: Uint8Array; readonly rootVersion: number },
): string {
  const { id, name } = entry.namespace;
  const common = { type: entry.type, namespace: id, namespaceName: name, rootVersion: root.rootVersion };
  const fields = { ...common, ...ownFields(entry) };
  return canonicalJson({ ...fields, hmac: journalHmac(canonicalJson(fields), root.rowKey).toString("base64") });
}

/** HMAC-SHA-256 of a line's canonical JSON without `hmac`, which is given. */
export function journalHmac(canonical: string, rowKey: Uint8Array): Buffer {
  checkKey(rowKey);
  return hmac("sha256", rowKey, Buffer.from(canonical, "utf8"));
}

function ownFields(entry: JournalEntry): JournalFields {
  if (entry.type === "branch") return branchFields(entry);
  if (entry.type === "wrap") return wrapFields(entry);
  return entry.type === "version" ? versionFields(entry) : tombstoneFields(entry);
}

function branchFields({ branch, branchVersion }: Extract<JournalEntry, { type: "branch" }>): JournalFields {
  return {
    branch: branch.id,
    branchVersion: branchVersion.version,
    commitment: branchVersion.commitment,
    recipients: branch.recipients.map(({ provider, uid }) => ({ provider, uid })),
    minimum: branch.minimum,
    threshold: branch.threshold,
    dedicatedTo: branch.dedicatedTo === null ? null : uuidOfKey(branch.dedicatedTo),
    origin: branchVersion.origin,
    createTime: branchVersion.createTime,
  };
}

function wrapFields({ wrap, recipient, commitment }: Extract<JournalEntry, { type: "wrap" }>): JournalFields {
  return {
    branch: wrap.branch,
    branchVersion: wrap.branchVersion,
    recipient: recipient.id,
    sharing: NO_SHARING,
    binding: uuidOfBinding(wrap.id),
    providerUid: recipient.providerUid,
    nativeRef: recipient.nativeRef,
    commitment,
    wrap: wrap.wrap,
    createTime: wrap.createTime,
  };
}

function versionFields({ key, version }: Extract<JournalEntry, { type: "version" }>): JournalFields {
  const { branch, branchVersion, seal } = version;
  if (branch === null || branchVersion === null || seal === null) {
    throw new KmsError("INTERNAL", "a version without a seal has no line in the journal");
  }
  return {
    key: uuidOfKey(key.id),
    version: version.version,
    branch,
    branchVersion,
    seal,
    keyName: key.name,
    aliases: key.aliases,
    purpose: key.purpose,
    algorithm: key.algorithm,
    custody: { ...key.custody },
    route: key.route,
    createTime: version.createTime,
  };
}

function tombstoneFields({ key, version }: Extract<JournalEntry, { type: "tombstone" }>): JournalFields {
  const { branch, branchVersion, seal } = version;
  if (branch === null || branchVersion === null || seal !== null) {
    throw new KmsError("INTERNAL", "only a version whose seal is erased has a tombstone");
  }
  return {
    key: uuidOfKey(key.id),
    version: version.version,
    branch,
    branchVersion,
    keyName: key.name,
    createTime: version.destroyTime ?? key.destroyTime ?? key.updateTime,
  };
}

function uuidOfBinding(id: BindingId): Uuid {
  const uuid = uuidOfId("bnd", id);
  if (uuid === undefined) throw new KmsError("INTERNAL", "a wrap has no valid id");
  return uuid;
}
