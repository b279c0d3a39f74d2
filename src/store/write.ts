import type { Kysely } from "kysely";
import type { NameChange, Plan, PlannedRow } from "./plan.ts";
import { type Schema, sealedTable } from "./schema.ts";

/** Writes the rows, names and changes of a plan, and moves the head. Runs in the transaction that holds the head. */
export async function writePlan(db: Kysely<Schema>, { rows, names }: Plan): Promise<void> {
  const last = rows.at(-1);
  if (last === undefined) return;
  for (const row of rows) await writeRow(db, row);
  for (const change of names) await db.deleteFrom("names").where("key_id", "=", change.key).execute();
  for (const change of names) await writeNames(db, change);
  for (const { change } of rows) {
    const { revision, table, id, seal, link, rootVersion } = change;
    await db
      .insertInto("changes")
      .values({ revision, tbl: table, row_id: id, seal, link, root_version: rootVersion })
      .execute();
  }
  const { revision, link } = last.change;
  await db
    .insertInto("head")
    .values({ id: 1, revision, link })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ revision, link }))
    .execute();
}

/** A row is written over whatever stands there: whether it may be was decided on the verified catalog, not on the database. */
async function writeRow(db: Kysely<Schema>, { mutation, change, text }: PlannedRow): Promise<void> {
  const table = sealedTable(mutation.table);
  if (mutation.record === null) {
    await db.deleteFrom(table).where("id", "=", mutation.id).execute();
    return;
  }
  const { revision, seal, rootVersion } = change;
  const columns = { revision, record: text, seal, root_version: rootVersion };
  await db
    .insertInto(table)
    .values({ id: mutation.id, ...columns })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(columns))
    .execute();
}

/** As rows are: a name that the database gives somebody else was decided to be free, and must not keep a key from being stopped. */
async function writeNames(db: Kysely<Schema>, { key, namespace, names }: NameChange): Promise<void> {
  for (const name of names) {
    await db
      .insertInto("names")
      .values({ namespace, name, key_id: key })
      .onConflict((conflict) => conflict.columns(["namespace", "name"]).doUpdateSet({ key_id: key }))
      .execute();
  }
}
