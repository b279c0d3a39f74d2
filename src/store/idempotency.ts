import type { Kysely } from "kysely";
import type { IdempotencyEntry } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { readUnverified } from "./judge.ts";
import type { Schema } from "./schema.ts";
import type { Sealer } from "./seals.ts";

/** How long an answer is kept for a repeated request. */
const IDEMPOTENCY_MS = 86_400_000;

/**
 * Keeps an entry, in the transaction of the change that it answers for. It stands in no feed, but it is sealed: one that somebody planted
 * would let a suspension be answered without being made.
 *
 * @throws {KmsError} `IDEMPOTENCY_KEY_IN_USE` if another request got there first.
 */
export async function keepIdempotency(
  db: Kysely<Schema>,
  entry: IdempotencyEntry,
  { sealer, now }: { sealer: Sealer; now: number },
): Promise<void> {
  const { credential, key, time } = entry;
  if ((await findIdempotency(db, { credential, key, now, sealer })) !== undefined) {
    throw new KmsError("IDEMPOTENCY_KEY_IN_USE", "another request with this idempotency key was answered meanwhile");
  }
  const columns = { time, entry: writeEntry(entry, sealer) };
  await db
    .insertInto("idempotency")
    .values({ credential, key, ...columns })
    .onConflict((conflict) => conflict.columns(["credential", "key"]).doUpdateSet(columns))
    .execute();
}

export async function findIdempotency(
  db: Kysely<Schema>,
  { credential, key, now, sealer }: { credential: string; key: string; now: number; sealer: Sealer },
): Promise<IdempotencyEntry | undefined> {
  const row = await db
    .selectFrom("idempotency")
    .select("entry")
    .where("credential", "=", credential)
    .where("key", "=", key)
    .where("time", ">", now - IDEMPOTENCY_MS)
    .executeTakeFirst();
  const entry = readEntry(row?.entry, sealer);
  return entry?.credential === credential && entry.key === key ? entry : undefined;
}

export async function purgeIdempotency(db: Kysely<Schema>, now: number): Promise<void> {
  await db
    .deleteFrom("idempotency")
    .where("time", "<=", now - IDEMPOTENCY_MS)
    .execute();
}

function writeEntry(entry: IdempotencyEntry, sealer: Sealer): string {
  const text = canonicalJson(entry);
  const rootVersion = sealer.current;
  const seal = sealer.seal({ table: "idempotency", revision: 0, text, rootVersion });
  return JSON.stringify({ text, rootVersion, seal: seal?.toString("base64") ?? "" });
}

/** The entry in a row; undefined for one that we did not write. */
function readEntry(value: unknown, sealer: Sealer): IdempotencyEntry | undefined {
  const { text, rootVersion, seal } = readUnverified(value) ?? {};
  if (typeof text !== "string" || typeof seal !== "string" || typeof rootVersion !== "number") return undefined;
  const row = { table: "idempotency", revision: 0, text, rootVersion } as const;
  return sealer.sealFits(row, Buffer.from(seal, "base64")) ? (JSON.parse(text) as IdempotencyEntry) : undefined;
}
