import type { Mutation } from "#core/catalog.ts";
import type { KeyId } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { KeyRecord, NamespaceRecord, VersionRecord } from "#core/records.ts";
import type { PlacedKey } from "#policy/place-key.ts";
import type { NewBranch, Placement } from "./branch.ts";
import type { ChangeRecord } from "./audited.ts";
import type { Caller } from "./caller.ts";
import { historyMutation, keyMutation } from "./change-key.ts";
import { firstLifecycle } from "./key-draft.ts";
import type { Keep } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import type { Release } from "./release-names.ts";
import { obtainBranch } from "./obtain-branch.ts";
import { takeTurn } from "./placing.ts";
import { sealNewVersion } from "./seal-version.ts";

type PlacedPortable = Extract<PlacedKey, { kind: "portable" }>;

export type CreatePortable = {
  readonly namespace: NamespaceRecord;
  readonly draft: KeyRecord;
  readonly placed: PlacedPortable;
  readonly keep: Keep;
  readonly record: ChangeRecord;
  readonly release: Release;
};

/**
 * Finds or makes the branch of a portable key, seals the first version, journals, records. Calls no cloud where the placement has a branch
 * already.
 */
export async function createPortable(
  parts: BrokerParts,
  caller: Caller,
  { namespace, draft, placed, keep, record, release }: CreatePortable,
): Promise<void> {
  const placement = placementOf(namespace, placed, draft.id);
  using _ = await takeTurn(parts, caller, placement);
  const { branch, branchKey, fresh } = await obtainBranch(parts, caller, { placement, record });
  try {
    const key: KeyRecord = { ...draft, branch: branch.id };
    const version = sealNewVersion(parts, {
      namespace,
      key,
      number: 1,
      branch,
      branchKey,
      lifecycle: firstLifecycle(key),
    });
    const entry: JournalEntry = { type: "version", namespace, key, version };
    await parts.journal.append([...(fresh?.journal ?? []), entry]);
    await recordKey(parts, caller, { key, version, fresh, keep, release });
  } finally {
    if (fresh !== undefined) branchKey.fill(0);
  }
}

type Recorded = {
  readonly key: KeyRecord;
  readonly version: VersionRecord;
  readonly fresh: NewBranch | undefined;
  readonly keep: Keep;
  readonly release: Release;
};

async function recordKey(
  parts: BrokerParts,
  caller: Caller,
  { key, version, fresh, keep, release }: Recorded,
): Promise<void> {
  await parts.store.change((catalog) => {
    const idempotency = keep(201, `/v1/keys/${key.id}`);
    const mutations: readonly Mutation[] = [
      ...(fresh?.mutations ?? []).filter(
        (row) => row.table !== "recipients" || catalog.recipient(row.id as never) === undefined,
      ),
      ...release(catalog, key),
      keyMutation(catalog, key),
      { table: "versions", id: `${key.id}/1`, record: version, ifRevision: 0 },
      historyMutation(caller, undefined, key, { action: "create" }),
    ];
    return { mutations, result: undefined, ...(idempotency === undefined ? {} : { idempotency }) };
  });
}

function placementOf(namespace: NamespaceRecord, { route, custody }: PlacedPortable, id: KeyId): Placement {
  return { namespace, route, custody, dedicatedTo: custody.dedicated ? id : null };
}
