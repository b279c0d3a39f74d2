import type { Kysely } from "kysely";
import type { Heartbeat } from "#core/catalog.ts";
import { readUnverified } from "./judge.ts";
import type { Schema } from "./schema.ts";

/** After this long without a beat a row is only litter. */
const FORGOTTEN_MS = 3_600_000;

export async function writeHeartbeat(db: Kysely<Schema>, heartbeat: Heartbeat): Promise<void> {
  const { process, time } = heartbeat;
  const body = JSON.stringify(heartbeat);
  await db
    .insertInto("live.heartbeats")
    .values({ process, body, time })
    .onConflict((conflict) => conflict.column("process").doUpdateSet({ body, time }))
    .execute();
}

export async function readHeartbeats(db: Kysely<Schema>): Promise<readonly Heartbeat[]> {
  const rows = await db.selectFrom("live.heartbeats").select("body").orderBy("process").execute();
  return rows
    .map((row) => readUnverified(row.body))
    .filter((body) => body !== undefined)
    .filter((body) => isHeartbeat(body));
}

export async function deleteHeartbeat(db: Kysely<Schema>, process: string): Promise<void> {
  await db.deleteFrom("live.heartbeats").where("process", "=", process).execute();
}

export async function purgeHeartbeats(db: Kysely<Schema>, now: number): Promise<void> {
  await db
    .deleteFrom("live.heartbeats")
    .where("time", "<", now - FORGOTTEN_MS)
    .execute();
}

function isHeartbeat(value: Readonly<Record<string, unknown>>): value is Heartbeat {
  return (
    ["process", "gateway", "policyHash", "report"].every((name) => typeof value[name] === "string") &&
    ["appliedRevision", "time"].every((name) => Number.isSafeInteger(value[name]))
  );
}
