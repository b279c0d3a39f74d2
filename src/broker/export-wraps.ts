import { KmsError } from "#core/errors.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { KeyRecord } from "#core/records.ts";
import { audited } from "./audited.ts";
import { namespaceOf } from "./branch.ts";
import type { Caller } from "./caller.ts";
import { resolveKey } from "./key-reference.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

export type ExportedWraps = { readonly key: KeyRecord; readonly lines: readonly string[] };

/**
 * The lines of the journal that a portable key stands on: with them, and one provider that holds a wrap, its ciphertexts open without a gateway
 * (`claviger open`). They hold no plaintext key; who may use the provider's key can open them.
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION` for a key that is not portable; `KEY_DESTROYED` for one whose seals are erased
 */
export async function exportWraps(parts: BrokerParts, caller: Caller, reference: string): Promise<ExportedWraps> {
  const { key, version } = await resolveKey(parts, caller, reference);
  requirePermission(caller, "keys.lifecycle");
  if (key.custody.kind !== "portable") {
    throw new KmsError("UNSUPPORTED_COMBINATION", "only portable keys have wraps", {
      metadata: { custody: key.custody.kind },
    });
  }
  const told = { operation: "keys.export-wraps", key: key.id };
  return await audited(parts, caller, told, async () => {
    const entries = entriesOf(parts, key, version);
    if (entries.length === 0) throw new KmsError("KEY_DESTROYED", "nothing is left of the key that could be opened");
    return await Promise.resolve({ key, lines: parts.journal.linesOf(entries) });
  });
}

/** Each branch version and its wraps before the seals under it. */
function entriesOf({ catalog }: BrokerParts, key: KeyRecord, wanted: number | undefined): readonly JournalEntry[] {
  const namespace = namespaceOf(catalog, key.namespace);
  const branches = new Map<string, readonly JournalEntry[]>();
  const seals: JournalEntry[] = [];
  for (const version of catalog.versions(key.id)) {
    const branch = version.branch === null ? undefined : catalog.branch(version.branch);
    const number = version.branchVersion ?? 0;
    const branchVersion = branch && catalog.branchVersion(branch.id, number);
    const isWanted = wanted === undefined || version.version === wanted;
    if (!isWanted || version.seal === null || branch === undefined || branchVersion === undefined) continue;
    const { commitment } = branchVersion;
    const wraps = catalog.wraps(branch.id, number).flatMap((wrap): readonly JournalEntry[] => {
      const recipient = catalog.recipient(wrap.recipient);
      return recipient === undefined ? [] : [{ type: "wrap", namespace, recipient, wrap, commitment }];
    });
    branches.set(`${branch.id}/${number}`, [{ type: "branch", namespace, branch, branchVersion }, ...wraps]);
    seals.push({ type: "version", namespace, key, version });
  }
  return [...[...branches.values()].flat(), ...seals];
}
