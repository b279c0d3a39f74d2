import type { Kysely } from "kysely";
import type { Mutation, RowFault, Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import { SEALED_TABLES } from "#core/records.ts";
import { type StoreDatabase, openDatabase } from "./dialect.ts";
import { loadAll } from "./load.ts";
import { migrate } from "./migrate.ts";
import { planChange } from "./plan.ts";
import { RevisionFile } from "./revision-file.ts";
import { type Schema, sealedTable } from "./schema.ts";
import { SealedStore } from "./sealed-store.ts";
import { Sealer } from "./seals.ts";
import { newestSnapshot } from "./snapshots.ts";
import { readRevision, writeRevision } from "./state-folder.ts";
import { type SystemRows, readSystemRows } from "./system-rows.ts";
import { VerifiedState } from "./verified-state.ts";
import { writePlan } from "./write.ts";

const SNAPSHOT_EVERY = 100_000;

/** What opening the root key gives. */
export type Unlocked = {
  /** K_row, 32 bytes, by root version; the store keeps copies. */
  readonly rowKeys: ReadonlyMap<number, Uint8Array>;
  /** The root version that seals new rows. */
  readonly current: number;
  /** For an empty database: its first rows, all with `ifRevision: 0`. */
  readonly initial?: readonly Mutation[];
};

export type StoreOptions = {
  readonly file: string;
  /** This gateway's own folder, outside the database; `revision` is kept there. */
  readonly stateFolder: string;
  readonly sources: Sources;
  /**
   * Opens the root key with the unverified rows of namespace `system` and compares it with the pin; for an empty database (undefined)
   * makes one. Runs again if another process has filled the database meanwhile.
   */
  readonly unlock: (rows: SystemRows | undefined) => Promise<Unlocked>;
  /** Changes between two snapshots; 100,000 unless a test wants fewer. */
  readonly snapshotEvery?: number;
  /** Told once of each row that does not verify. */
  readonly onFault?: (fault: RowFault) => void;
  /** Told of failures in the background, such as a database that cannot be read. */
  readonly onError?: (error: unknown) => void;
};

/**
 * Opens the store: brings the schema up to date, opens the root key through `unlock`, then verifies the whole chain and every row.
 *
 * Rows that do not verify are named in `catalog.faults` and do not count.
 *
 * @throws {KmsError} `SEALED` if the database is older than what this gateway has seen, or if it cannot know whether it is;
 *   `INTERNAL` for a file that cannot be used. Both with one sentence that says what happened.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = await openDatabase(options.file);
  try {
    await migrate(database.db);
    const seen = await checkBeforeUnlock(database.db, options.stateFolder);
    const sealer = await unlockDatabase(database.db, options);
    return await openVerified(database, { ...options, sealer, seen });
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

async function checkBeforeUnlock(db: Kysely<Schema>, stateFolder: string): Promise<number> {
  const seen = await readRevision(stateFolder);
  const empty = await isEmpty(db);
  if (empty && seen !== undefined && seen > 0) {
    throw refusal(`the database is empty, but this gateway has seen revision ${String(seen)}`);
  }
  if (!empty && seen === undefined) {
    throw refusal("the database has rows, but the state folder does not say which revision this gateway has seen");
  }
  if (seen === undefined) await writeRevision(stateFolder, 0, true);
  return seen ?? 0;
}

async function unlockDatabase(db: Kysely<Schema>, { unlock, sources }: StoreOptions): Promise<Sealer> {
  for (;;) {
    const empty = await isEmpty(db);
    const { rowKeys, current, initial = [] } = await unlock(empty ? undefined : await readSystemRows(db));
    const sealer = new Sealer(rowKeys, current);
    if (!empty || (await writeFirst(db, { initial, sealer, sources }))) return sealer;
  }
}

/** Writes the first rows; false if another process was first. */
function writeFirst(
  db: Kysely<Schema>,
  { initial, sealer, sources }: { initial: readonly Mutation[]; sealer: Sealer; sources: Sources },
): Promise<boolean> {
  const { catalog, chain } = new VerifiedState({ sealer, clock: sources.clock, onFault: () => undefined });
  return db.transaction().execute(async (trx) => {
    if (!(await isEmpty(trx))) return false;
    await writePlan(trx, planChange({ mutations: initial, result: undefined }, { catalog, chain, sealer }));
    return true;
  });
}

async function openVerified(
  database: StoreDatabase,
  options: StoreOptions & { readonly sealer: Sealer; readonly seen: number },
): Promise<Store> {
  const { sealer, sources, seen, stateFolder, onFault = () => undefined, onError = () => undefined } = options;
  const state = new VerifiedState({ sealer, clock: sources.clock, onFault });
  const token = await database.changeToken();
  const loaded = await database.db
    .transaction()
    .setAccessMode("read only")
    .execute((trx) => loadAll(trx, sealer));
  const verified = loaded.chain.revision;
  if (verified < seen) {
    const damage = loaded.bad.some(({ fault }) => fault.table === "feed") ? "its change feed verifies" : "it goes";
    throw refusal(
      `the database is rolled back or damaged: ${damage} up to revision ${String(verified)}, and this gateway has seen ${String(seen)}`,
    );
  }
  const { kind: standing } = state.adopt(loaded);
  const revisionFile = new RevisionFile({ folder: stateFolder, revision: seen, scheduler: sources.scheduler, onError });
  revisionFile.note(verified);
  const snapshotEvery = options.snapshotEvery ?? SNAPSHOT_EVERY;
  const snapshotAt = (await newestSnapshot(database.db)) ?? 0;
  const store = new SealedStore(
    { database, state, sealer, sources, revisionFile, snapshotEvery, onError },
    { token, standing, snapshotAt },
  );
  await store.start();
  return store;
}

async function isEmpty(db: Kysely<Schema>): Promise<boolean> {
  for (const table of SEALED_TABLES) {
    if ((await db.selectFrom(sealedTable(table)).select("id").limit(1).executeTakeFirst()) !== undefined) return false;
  }
  const change = await db.selectFrom("changes").select("revision").limit(1).executeTakeFirst();
  const snapshot = await db.selectFrom("snapshots").select("revision").limit(1).executeTakeFirst();
  return change === undefined && snapshot === undefined;
}

function refusal(what: string): KmsError {
  return new KmsError("SEALED", `${what}; only restore goes back`);
}
