import type { Kysely } from "kysely";
import { COLUMN_TYPES as type } from "../dialect.ts";

const SEALED = [
  "namespaces",
  "keys",
  "versions",
  "branches",
  "branch_versions",
  "recipients",
  "wraps",
  "providers",
  "drains",
  "clients",
  "credentials",
  "secrets",
  "history",
];

/** The sealed tables, the feed, and what stands beside them in the same transactions. Called by the migrator. @public */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of SEALED) {
    await db.schema
      .createTable(table)
      .addColumn("id", type.text, (c) => c.primaryKey().notNull())
      .addColumn("revision", type.integer, (c) => c.notNull())
      .addColumn("record", type.text, (c) => c.notNull())
      .addColumn("seal", type.bytes, (c) => c.notNull())
      .addColumn("root_version", type.integer, (c) => c.notNull())
      .execute();
  }
  await createFeed(db);
  await db.schema
    .createTable("names")
    .addColumn("namespace", type.text, (c) => c.notNull())
    .addColumn("name", type.text, (c) => c.notNull())
    .addColumn("key_id", type.text, (c) => c.notNull())
    .addPrimaryKeyConstraint("names_pk", ["namespace", "name"])
    .execute();
  await db.schema.createIndex("names_by_key").on("names").column("key_id").execute();
  await db.schema
    .createTable("idempotency")
    .addColumn("credential", type.text, (c) => c.notNull())
    .addColumn("key", type.text, (c) => c.notNull())
    .addColumn("entry", type.text, (c) => c.notNull())
    .addColumn("time", type.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint("idempotency_pk", ["credential", "key"])
    .execute();
}

async function createFeed(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("changes")
    .addColumn("revision", type.integer, (c) => c.primaryKey().notNull())
    .addColumn("tbl", type.text, (c) => c.notNull())
    .addColumn("row_id", type.text, (c) => c.notNull())
    .addColumn("seal", type.bytes, (c) => c.notNull())
    .addColumn("link", type.bytes, (c) => c.notNull())
    .addColumn("root_version", type.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("head")
    .addColumn("id", type.integer, (c) => c.primaryKey().notNull())
    .addColumn("revision", type.integer, (c) => c.notNull())
    .addColumn("link", type.bytes, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("snapshots")
    .addColumn("revision", type.integer, (c) => c.notNull())
    .addColumn("part", type.integer, (c) => c.notNull())
    .addColumn("parts", type.integer, (c) => c.notNull())
    .addColumn("entries", type.bytes, (c) => c.notNull())
    .addColumn("link", type.bytes, (c) => c.notNull())
    .addColumn("seal", type.bytes, (c) => c.notNull())
    .addColumn("root_version", type.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint("snapshots_pk", ["revision", "part"])
    .execute();
}
