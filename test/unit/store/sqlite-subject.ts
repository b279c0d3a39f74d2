import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { RowFault, Store } from "#core/catalog.ts";
import { openStore, type StoreOptions, type Unlocked } from "#store/open-store.ts";
import { ManualTime } from "../../conformance/manual-time.ts";
import type { StoreSubject } from "../../conformance/store-subject.ts";

const ROW_KEY = Buffer.alloc(32, 7);

/** A database file of its own, with what attacks it: plain SQL on the side. */
export interface SqliteSubject extends StoreSubject {
  readonly file: string;
  readonly stateFolder: string;
  readonly faults: RowFault[];
  readonly errors: unknown[];
  open(options?: Partial<StoreOptions>): Promise<Store>;
  /** Runs statements on a connection of its own, as somebody with the file would. */
  attack<T>(run: (database: Sqlite.Database) => T): T;
}

export async function createSqliteSubject(): Promise<SqliteSubject> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-store-"));
  const file = join(folder, "claviger.db");
  const stateFolder = join(folder, "state");
  const time = new ManualTime();
  const opened: Store[] = [];
  const faults: RowFault[] = [];
  const errors: unknown[] = [];
  const unlock = async (): Promise<Unlocked> => ({ rowKeys: new Map([[1, ROW_KEY]]), current: 1 });
  return {
    time,
    file,
    stateFolder,
    faults,
    errors,
    open: async (options) => {
      const store = await openStore({
        file,
        stateFolder,
        sources: time.sources,
        unlock,
        onFault: (fault) => faults.push(fault),
        onError: (error) => errors.push(error),
        ...options,
      });
      opened.push(store);
      return store;
    },
    attack: (run) => {
      const database = new Sqlite(file, { timeout: 1000 });
      try {
        return run(database);
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of opened) await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
