import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { KmsError } from "#core/errors.ts";
import { COLUMN_TYPES as type } from "./dialect.ts";
import * as catalog from "./migrations/0001-catalog.ts";
import * as nativeBindings from "./migrations/0002-native-bindings.ts";
import type { Schema } from "./schema.ts";

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-catalog": catalog,
  "0002-native-bindings": nativeBindings,
};

/**
 * Brings the sealed part to the newest schema and makes the unsealed tables where they are missing (they may be deleted at any time).
 *
 * @throws {KmsError} `INTERNAL` for a database of a newer version, or one whose tables are not those of its version.
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    if (error instanceof KmsError) throw error;
    const sentence = "the database has the schema of another version of this program, or a damaged one";
    throw new KmsError("INTERNAL", sentence, { cause: error });
  }
  await createLiveTables(db);
}

async function createLiveTables(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable("live.last_use")
    .ifNotExists()
    .addColumn("key_id", type.text, (c) => c.primaryKey().notNull())
    .addColumn("hour", type.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("live.protected")
    .ifNotExists()
    .addColumn("version_id", type.text, (c) => c.primaryKey().notNull())
    .addColumn("messages", type.integer, (c) => c.notNull())
    .addColumn("bytes", type.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("live.heartbeats")
    .ifNotExists()
    .addColumn("process", type.text, (c) => c.primaryKey().notNull())
    .addColumn("body", type.text, (c) => c.notNull())
    .addColumn("time", type.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("live.leases")
    .ifNotExists()
    .addColumn("name", type.text, (c) => c.primaryKey().notNull())
    .addColumn("process", type.text, (c) => c.notNull())
    .addColumn("expires", type.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("live.inventory")
    .ifNotExists()
    .addColumn("id", type.text, (c) => c.primaryKey().notNull())
    .addColumn("provider_uid", type.text, (c) => c.notNull())
    .addColumn("native_ref", type.text, (c) => c.notNull())
    .addColumn("marked", type.integer, (c) => c.notNull())
    .addColumn("body", type.text, (c) => c.notNull())
    .addColumn("seen", type.integer, (c) => c.notNull())
    .addUniqueConstraint("live_inventory_ref", ["provider_uid", "native_ref"])
    .execute();
}
