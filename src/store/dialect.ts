/** Everything that is SQLite's own. The rest of the store speaks Kysely and what this file exports. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
  sql,
} from "kysely";
import { KmsError } from "#core/errors.ts";
import type { Schema } from "./schema.ts";

/** Column types of the migrations, by what they hold. */
export const COLUMN_TYPES = { text: sql`text`, integer: sql`integer`, bytes: sql`blob` };

const MAX_CACHED_STATEMENTS = 200;
/** About five seconds of waiting for another process that holds the write lock. */
const MAX_LOCK_ATTEMPTS = 2500;
const LOCK_RETRY_MS = 2;

export interface StoreDatabase extends AsyncDisposable {
  readonly db: Kysely<Schema>;
  /** A value that is another one after another connection has committed to the sealed part. */
  changeToken(): Promise<unknown>;
  /** Makes what was overwritten gone from the sealed part's files too, as far as nobody else has them open. */
  scrub(): Promise<void>;
  /** Whether the file that is open still stands under its name; false when it was renamed over or deleted. */
  isInPlace(): boolean;
}

/**
 * Opens the database file (made with mode 0600, its folder with 0700), in WAL mode with `synchronous = FULL` and `secure_delete`, and attaches the file of the
 * unsealed tables beside it as `live`.
 *
 * @throws {KmsError} `INTERNAL` with one sentence for a file that is no database, is damaged, cannot be opened or stays locked.
 */
export async function openDatabase(file: string): Promise<StoreDatabase> {
  const liveFile = `${file}-live`;
  for (const path of [file, liveFile]) createPrivateFile(path);
  const connection = openConnection(file);
  try {
    for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF", "secure_delete = ON"]) {
      await connection.executeQuery(CompiledQuery.raw(`pragma ${pragma}`));
    }
    const live = basename(liveFile);
    await connection.run(CompiledQuery.raw("attach database ? as live", [liveFile]), live);
    for (const pragma of ["journal_mode = WAL", "synchronous = NORMAL"]) {
      await connection.run(CompiledQuery.raw(`pragma live.${pragma}`), live);
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  const db = new Kysely<Schema>({ dialect: new StoreDialect(connection) });
  const inode = statSync(file).ino;
  return {
    db,
    changeToken: async () => {
      const { rows } = await sql<{ data_version: unknown }>`pragma main.data_version`.execute(db);
      return rows[0]?.data_version;
    },
    scrub: async () => {
      await sql`pragma main.wal_checkpoint(TRUNCATE)`.execute(db);
    },
    isInPlace: () => statSync(file, { throwIfNoEntry: false })?.ino === inode,
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

function createPrivateFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new KmsError("INTERNAL", `the database file ${basename(path)} cannot be opened for writing`, {
      cause: error,
    });
  }
}

function openConnection(file: string): SqliteConnection {
  try {
    const database = new Sqlite(file, { timeout: 0 });
    database.defaultSafeIntegers(true); // without it integers above 2^53 are rounded in silence
    return new SqliteConnection(database, basename(file));
  } catch (error) {
    throw storeError(error, basename(file));
  }
}

/** SQLite has one connection here; Kysely keeps its users apart. DDL is transactional, which Kysely's own adapter does not use. */
class StoreDialect implements Dialect {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  createDriver(): Driver {
    return new StoreDriver(this.#connection);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

class StoreDriver implements Driver {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  /** A transaction that may write takes the lock at once: upgrading a read lock later can fail for good (SQLITE_BUSY_SNAPSHOT). */
  async beginTransaction(_: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await this.#run(settings.accessMode === "read only" ? "begin deferred" : "begin immediate");
  }

  async commitTransaction(): Promise<void> {
    await this.#run("commit");
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#connection.inTransaction) await this.#run("rollback"); // some errors roll back by themselves
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#connection.close();
  }

  async #run(statement: string): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw(statement));
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Sqlite.Database;
  readonly #name: string;
  readonly #statements = new Map<string, Sqlite.Statement>();

  constructor(database: Sqlite.Database, name: string) {
    this.#database = database;
    this.#name = name;
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return await this.run(query, this.#name);
  }

  /** Waits for a lock without blocking the event loop, which SQLite's own busy timeout would. `name` is the file that a failure names. */
  async run<R>(query: CompiledQuery, name: string): Promise<QueryResult<R>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#execute(query);
      } catch (error) {
        if (!isBusy(error) || attempt === MAX_LOCK_ATTEMPTS) throw storeError(error, name);
        await (attempt < 5 ? setImmediate() : setTimeout(LOCK_RETRY_MS));
      }
    }
  }

  // oxlint-disable-next-line require-yield -- the interface asks for a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new KmsError("INTERNAL", "the store does not stream queries");
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #execute<R>({ sql: text, parameters }: CompiledQuery): QueryResult<R> {
    const statement = this.#prepare(text);
    if (statement.reader) return { rows: statement.all(...parameters) as R[] };
    return { numAffectedRows: BigInt(statement.run(...parameters).changes), rows: [] };
  }

  #prepare(text: string): Sqlite.Statement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_CACHED_STATEMENTS) this.#statements.clear();
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/u.test(error.code);
}

const SENTENCES: readonly { readonly code: RegExp; readonly sentence: string }[] = [
  { code: /^SQLITE_NOTADB/u, sentence: "is not a database: put back the right file" },
  { code: /^SQLITE_CORRUPT/u, sentence: "is damaged: restore it from a backup" },
  { code: /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/u, sentence: "is locked by another program" },
  { code: /^SQLITE_FULL/u, sentence: "cannot grow: the disk is full" },
  { code: /^SQLITE_(?:READONLY|PERM|AUTH)/u, sentence: "cannot be written" },
  { code: /^SQLITE_(?:CANTOPEN|IOERR)/u, sentence: "cannot be read or written" },
  { code: /^SQLITE_ERROR/u, sentence: "does not have the tables of this version: restore it from a backup" },
];

/** One clear sentence for an operator; constraint violations pass as they are. */
function storeError(error: unknown, name: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const { code } = error;
  const known = SENTENCES.find((entry) => entry.code.test(code));
  if (known === undefined) return error;
  return new KmsError("INTERNAL", `the database file ${name} ${known.sentence}`, { cause: error });
}
