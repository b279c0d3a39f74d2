import type { Kysely } from "kysely";
import type { KeyId } from "#core/ids.ts";
import type { CredentialRecord } from "#core/records.ts";
import { type Schema, toInteger } from "./schema.ts";

const HOUR_MS = 3_600_000;
const ROWS_PER_WRITE = 500;
/** The last hour that a date can tell: 8.64e15 ms after 1970. */
const LAST_HOUR = 2_400_000_000;

export type UsedId = KeyId | CredentialRecord["id"];

/** When keys and credentials were last used, by the hour: noted in memory, written and read in batches. */
export class LastUse {
  readonly #hours = new Map<UsedId, number>();
  readonly #unwritten = new Set<UsedId>();

  note(id: UsedId, time: number): void {
    const hour = Math.floor(time / HOUR_MS);
    if ((this.#hours.get(id) ?? -1) >= hour) return;
    this.#hours.set(id, hour);
    this.#unwritten.add(id);
  }

  /** Epoch milliseconds of the hour of the last use. */
  get(id: UsedId): number | undefined {
    const hour = this.#hours.get(id);
    return hour === undefined ? undefined : hour * HOUR_MS;
  }

  /** Takes over what all processes have written since an hour. */
  async read(db: Kysely<Schema>, since = 0): Promise<void> {
    const rows = await db
      .selectFrom("live.last_use")
      .selectAll()
      .where("hour", ">=", Math.floor(since / HOUR_MS))
      .execute();
    for (const row of rows) {
      const hour = toInteger(row.hour);
      if (typeof row.key_id !== "string" || hour === undefined || hour > LAST_HOUR) continue;
      const id = row.key_id as UsedId;
      if (hour > (this.#hours.get(id) ?? -1)) this.#hours.set(id, hour);
    }
  }

  async write(db: Kysely<Schema>): Promise<void> {
    for (;;) {
      const ids = [...this.#unwritten].slice(0, ROWS_PER_WRITE);
      if (ids.length === 0) return;
      const rows = ids.map((id) => ({ key_id: id, hour: this.#hours.get(id) ?? 0 }));
      await db
        .insertInto("live.last_use")
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column("key_id")
            .doUpdateSet((eb) => ({ hour: eb.ref("excluded.hour") }))
            .whereRef("live.last_use.hour", "<", "excluded.hour"),
        )
        .execute();
      for (const { key_id: id, hour } of rows) if (this.#hours.get(id) === hour) this.#unwritten.delete(id);
    }
  }
}
