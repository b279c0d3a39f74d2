import type { Kysely } from "kysely";
import type { IdempotencyEntry } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { readUnverified } from "./judge.ts";
import type { Schema } from "./schema.ts";

/** How long an answer is kept for a repeated request. */
const IDEMPOTENCY_MS = 86_400_000;
/** What a change that is kept was answered with. */
const FIRST_STATUSES: ReadonlySet<number> = new Set([200, 201, 202]);

/**
 * Keeps an entry, in the transaction of the change that it answers for.
 *
 * @throws {KmsError} `IDEMPOTENCY_KEY_IN_USE` if another request got there first.
 */
export async function keepIdempotency(db: Kysely<Schema>, entry: IdempotencyEntry, now: number): Promise<void> {
  const { credential, key, time } = entry;
  await db
    .deleteFrom("idempotency")
    .where("credential", "=", credential)
    .where("key", "=", key)
    .where("time", "<=", now - IDEMPOTENCY_MS)
    .execute();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("idempotency")
    .values({ credential, key, time, entry: JSON.stringify(entry) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) {
    throw new KmsError("IDEMPOTENCY_KEY_IN_USE", "another request with this idempotency key was answered meanwhile");
  }
}

export async function findIdempotency(
  db: Kysely<Schema>,
  { credential, key, now }: { credential: string; key: string; now: number },
): Promise<IdempotencyEntry | undefined> {
  const row = await db
    .selectFrom("idempotency")
    .select("entry")
    .where("credential", "=", credential)
    .where("key", "=", key)
    .where("time", ">", now - IDEMPOTENCY_MS)
    .executeTakeFirst();
  const entry = readUnverified(row?.entry);
  return entry !== undefined && isEntry(entry) && entry.credential === credential && entry.key === key
    ? entry
    : undefined;
}

export async function purgeIdempotency(db: Kysely<Schema>, now: number): Promise<void> {
  await db
    .deleteFrom("idempotency")
    .where("time", "<=", now - IDEMPOTENCY_MS)
    .execute();
}

function isEntry(value: Readonly<Record<string, unknown>>): value is IdempotencyEntry {
  const texts = ["credential", "key", "method", "path", "bodyDigest", "resource"];
  return (
    texts.every((name) => typeof value[name] === "string") &&
    typeof value["status"] === "number" &&
    FIRST_STATUSES.has(value["status"]) &&
    Number.isSafeInteger(value["time"])
  );
}
