import { createId, type Uuid } from "#core/ids.ts";
import type { Mutation } from "#core/catalog.ts";
import type { BranchRecord } from "#core/records.ts";
import { Deadline } from "#resilience/deadline.ts";
import { namespaceOf } from "./branch.ts";
import { branchKeyOf } from "./branch-key.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";
import { isHolder, wrapMutations, writeWrap } from "./write-wrap.ts";

const REPLENISH_MS = 10_000;

/**
 * Fills in one wrap that a write had to leave out: opens the branch key through somebody else, wraps it, journals and records. Does nothing
 * where the provider's breaker is open or it is drained.
 *
 * @throws {KmsError | ProviderError} as the calls fail; the next turn tries again
 */
export async function addMissingWrap(
  parts: BrokerParts,
  {
    branch: id,
    branchVersion,
    provider,
  }: { readonly branch: Uuid; readonly branchVersion: number; readonly provider: string },
): Promise<boolean> {
  const branch = parts.catalog.branch(id);
  const holder = parts.fleet.member(provider);
  if (branch === undefined || !isHolder(holder) || parts.catalog.drain(provider)?.drained === true) return false;
  if (parts.pool.standing(provider).state === "open") return false;
  const namespace = namespaceOf(parts.catalog, branch.namespace);
  const trace: Trace = { attempts: [] };
  const call = {
    requestId: createId("req", parts.sources),
    deadline: new Deadline(REPLENISH_MS, parts.sources),
    trace,
  };
  // the cache may drop its key while the provider works: wrap a copy
  const branchKey = copyOf(await branchKeyOf(parts, branch, branchVersion, call));
  try {
    const target = { namespace, branch: id, branchVersion, dedicatedTo: branch.dedicatedTo, branchKey };
    const written = await writeWrap(parts, holder, target, call);
    const commitment = parts.catalog.branchVersion(id, branchVersion)?.commitment ?? "";
    await parts.journal.append([{ type: "wrap", namespace, commitment, ...written }]);
    await parts.store.change((catalog) => {
      const there = catalog.wraps(id, branchVersion).some((wrap) => wrap.recipient === written.recipient.id);
      if (there) return { mutations: [], result: undefined };
      return {
        mutations: [...wrapMutations(catalog, written), ...knownUid(catalog.branch(id) ?? branch, holder, catalog)],
        result: undefined,
      };
    });
    return true;
  } finally {
    branchKey.fill(0);
  }
}

/** A holder that had never been reached when the branch was placed is now known for what it is. */
function knownUid(
  branch: BranchRecord,
  { name, uid }: { name: string; uid: string },
  catalog: BrokerParts["catalog"],
): readonly Mutation[] {
  if (!branch.recipients.some((recipient) => recipient.provider === name && recipient.uid === null)) return [];
  const recipients = branch.recipients.map((recipient) =>
    recipient.provider === name ? { ...recipient, uid: recipient.uid ?? uid } : recipient,
  );
  const record: BranchRecord = { ...branch, recipients };
  return [{ table: "branches", id: branch.id, record, ifRevision: catalog.revisionOf("branches", branch.id) }];
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
