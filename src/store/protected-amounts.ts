import { type Kysely, sql } from "kysely";
import type { ProtectedAmount } from "#core/catalog.ts";
import { type Schema, toInteger } from "./schema.ts";

const ROWS_PER_WRITE = 500;
const NOTHING: ProtectedAmount = { messages: 0, bytes: 0 };

/** How much each key version has protected: counted in memory, added to the database in batches, read back with what other processes added. */
export class ProtectedAmounts {
  /** As the database had it when it was last read or written. */
  readonly #written = new Map<string, ProtectedAmount>();
  readonly #unwritten = new Map<string, ProtectedAmount>();

  note(id: string, bytes: number): void {
    this.#unwritten.set(id, sum(this.#unwritten.get(id), { messages: 1, bytes }));
  }

  get(id: string): ProtectedAmount {
    return sum(this.#written.get(id), this.#unwritten.get(id));
  }

  async read(db: Kysely<Schema>): Promise<void> {
    for (const row of await db.selectFrom("live.protected").selectAll().execute()) {
      const [messages, bytes] = [toInteger(row.messages), toInteger(row.bytes)];
      if (typeof row.version_id !== "string" || messages === undefined || bytes === undefined) continue;
      this.#written.set(row.version_id, { messages, bytes });
    }
  }

  /** What a write has taken no other write takes too; it goes back where the write fails. */
  async write(db: Kysely<Schema>): Promise<void> {
    for (;;) {
      const added = [...this.#unwritten].slice(0, ROWS_PER_WRITE);
      if (added.length === 0) return;
      for (const [id, amount] of added) {
        this.#unwritten.delete(id);
        this.#written.set(id, sum(this.#written.get(id), amount));
      }
      try {
        await add(db, added);
      } catch (error) {
        for (const [id, amount] of added) {
          this.#unwritten.set(id, sum(this.#unwritten.get(id), amount));
          this.#written.set(id, sum(this.#written.get(id), { messages: -amount.messages, bytes: -amount.bytes }));
        }
        throw error;
      }
    }
  }
}

async function add(db: Kysely<Schema>, added: readonly (readonly [string, ProtectedAmount])[]): Promise<void> {
  await db
    .insertInto("live.protected")
    .values(added.map(([id, { messages, bytes }]) => ({ version_id: id, messages, bytes })))
    .onConflict((conflict) =>
      conflict.column("version_id").doUpdateSet({
        messages: sql`live.protected.messages + excluded.messages`,
        bytes: sql`live.protected.bytes + excluded.bytes`,
      }),
    )
    .execute();
}

function sum(one: ProtectedAmount = NOTHING, other: ProtectedAmount = NOTHING): ProtectedAmount {
  return { messages: one.messages + other.messages, bytes: one.bytes + other.bytes };
}
