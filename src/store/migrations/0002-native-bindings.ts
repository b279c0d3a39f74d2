import type { Kysely } from "kysely";
import { COLUMN_TYPES as type } from "../dialect.ts";

/** The sealed table of native keys. Called by the migrator. @public */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("bindings")
    .addColumn("id", type.text, (c) => c.primaryKey().notNull())
    .addColumn("revision", type.integer, (c) => c.notNull())
    .addColumn("record", type.text, (c) => c.notNull())
    .addColumn("seal", type.bytes, (c) => c.notNull())
    .addColumn("root_version", type.integer, (c) => c.notNull())
    .execute();
}
