import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Takes or renews a named lease until `now + ms`; false while another process has it. `now` is the store's clock. */
export async function takeLease(
  db: Kysely<Schema>,
  { name, process, now, ms }: { name: string; process: string; now: number; ms: number },
): Promise<boolean> {
  const expires = now + ms;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("live.leases")
    .values({ name, process, expires })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet({ process, expires })
        .where((eb) => eb.or([eb("live.leases.process", "=", process), eb("live.leases.expires", "<=", now)])),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
