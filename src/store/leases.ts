import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Two gateways whose clocks differ by more are refused their work on dates anyway. */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Takes or renews a named lease until `now + ms`; false while another process has it. `now` is the store's clock. One that runs longer
 * than any lease of this name may is nobody's.
 */
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
        .where((eb) =>
          eb.or([
            eb("live.leases.process", "=", process),
            eb("live.leases.expires", "<=", now),
            eb("live.leases.expires", ">", expires + CLOCKS_DIFFER_MS),
          ]),
        ),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
