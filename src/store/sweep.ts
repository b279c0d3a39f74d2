import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { RowFault } from "#core/catalog.ts";
import type { SealedTable } from "#core/records.ts";
import { eachChanges } from "./feed.ts";
import { findFault } from "./judge.ts";
import { eachPage, rowLabel } from "./load.ts";
import type { Schema } from "./schema.ts";
import { FIRST_LINK, type Sealer, sealsEqual } from "./seals.ts";
import { readSnapshot } from "./snapshots.ts";
import type { VerifiedState } from "./verified-state.ts";

const ROWS_PER_SLICE = 1000;

/**
 * Reads a table slice by slice and resolves with the ids that need a second look under the queue: rows that do not verify (or were written
 * meanwhile), rows that are missing, and those that did not verify before.
 */
export async function sweepTable(
  db: Kysely<Schema>,
  table: SealedTable,
  { state, sealer }: { state: VerifiedState; sealer: Sealer },
): Promise<ReadonlySet<string>> {
  const { chain, catalog } = state;
  const suspects = new Set(catalog.faults.filter((fault) => fault.table === table).map((fault) => fault.id));
  const seen = new Set<string>();
  for await (const page of eachPage(db, table, ROWS_PER_SLICE)) {
    for (const row of page) {
      seen.add(rowLabel(row));
      if (findFault(table, row, { chain, sealer }) !== undefined) suspects.add(rowLabel(row));
    }
    await setImmediate();
  }
  for (const id of chain.rows(table).keys()) if (!seen.has(id)) suspects.add(id);
  return suspects;
}

/** Checks the feed again from the newest snapshot to where this process stands. */
export async function sweepFeed(
  db: Kysely<Schema>,
  { state, sealer }: { state: VerifiedState; sealer: Sealer },
): Promise<readonly RowFault[]> {
  const end = { revision: state.chain.revision, link: state.chain.link };
  const snapshot = await readSnapshot(db, sealer);
  if (snapshot === "damaged") return [{ table: "feed", id: "snapshot", fault: "unsealed" }];
  let { revision, link } = snapshot ?? { revision: 0, link: FIRST_LINK };
  if (revision > end.revision) return [];
  for await (const changes of eachChanges(db, revision)) {
    for (const change of changes.filter((next) => next === undefined || next.revision <= end.revision)) {
      if (change !== undefined && change.revision !== revision + 1) return [feedFault(revision + 1, "missing")];
      if (change === undefined || !sealer.linkFits(link, change, change.link)) {
        return [feedFault(revision + 1, "unchained")];
      }
      ({ revision, link } = change);
    }
    if (revision === end.revision) break;
    await setImmediate();
  }
  if (revision < end.revision) return [feedFault(revision + 1, "missing")];
  return sealsEqual(end.link, link) ? [] : [feedFault(revision, "rolled-back")];
}

function feedFault(revision: number, fault: RowFault["fault"]): RowFault {
  return { table: "feed", id: String(revision), fault };
}
