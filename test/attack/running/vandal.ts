import { join } from "node:path";
import Sqlite from "better-sqlite3";

/** A row of a sealed table as it stands in the file. */
export type RawRow = {
  readonly id: string;
  readonly revision: number;
  readonly record: string;
  readonly seal: Buffer;
  readonly root_version: number;
};

/** Somebody who can write the database of a data folder, and has no key. */
export class Vandal {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, "claviger.db");
  }

  /** Does something in one transaction, so that a gateway sees all of it or nothing. */
  run<T>(deed: (database: Sqlite.Database) => T): T {
    const database = new Sqlite(this.#file, { timeout: 5000 });
    try {
      database.prepare("attach ? as live").run(`${this.#file}-live`);
      return database.transaction(deed)(database);
    } finally {
      database.close();
    }
  }

  read(table: string, id: string): RawRow {
    const row = this.run((database) =>
      database.prepare<unknown[], RawRow>(`select * from ${table} where id = ?`).get(id),
    );
    if (row === undefined) throw new Error(`${table} has no row ${id}`);
    return row;
  }

  /** Keeps the database as it is now in another file. */
  copyTo(file: string): void {
    const database = new Sqlite(this.#file, { timeout: 5000 });
    try {
      database.prepare("vacuum into ?").run(file);
    } finally {
      database.close();
    }
  }

  find(table: string, condition: string): readonly RawRow[] {
    return this.run((database) => database.prepare<[], RawRow>(`select * from ${table} where ${condition}`).all());
  }
}

/** Replaces a part of a record; the part must be there. */
export function edit(
  database: Sqlite.Database,
  table: string,
  id: string,
  [from, to]: readonly [string, string],
): void {
  const { changes } = database
    .prepare(`update ${table} set record = replace(record, ?, ?) where id = ? and instr(record, ?) > 0`)
    .run(from, to, id, from);
  if (changes !== 1) throw new Error(`${table} ${id} has no ${from}`);
}

export function remove(database: Sqlite.Database, table: string, id: string): void {
  if (database.prepare(`delete from ${table} where id = ?`).run(id).changes !== 1)
    throw new Error(`${table} has no row ${id}`);
}

/** Puts a row there, under its own id or another, in place of what was. */
export function put(database: Sqlite.Database, table: string, row: RawRow, id: string = row.id): void {
  database
    .prepare(`insert or replace into ${table} values (@id, @revision, @record, @seal, @root_version)`)
    .run({ ...row, id });
}

export function swap(database: Sqlite.Database, table: string, one: string, other: string): void {
  const move = database.prepare(`update ${table} set id = ? where id = ?`);
  for (const [to, from] of [
    ["aside", one],
    [one, other],
    [other, "aside"],
  ])
    move.run(to, from);
}
