import type Sqlite from "better-sqlite3";
import { expect } from "vitest";
import type { Gateway } from "../../e2e/live-gateway.ts";
import type { Estate } from "./estate.ts";
import type { RawRow, Vandal } from "./vandal.ts";

/** What the vandal knows: the estate, and rows that were valid before a change. */
export type Loot = {
  readonly estate: Estate;
  readonly vandal: Vandal;
  readonly older: ReadonlyMap<string, RawRow>;
  /** A wrap row for a branch of ours that another gateway has sealed. */
  readonly foreignWrap: RawRow;
};

/** Something done to the rows of a database, and what must follow, while a gateway runs and at its next start. */
export type Deed = {
  readonly name: string;
  /** Gives the rows that must be named in the log: `table id`. */
  readonly run: (database: Sqlite.Database, loot: Loot) => readonly string[];
  readonly check: (gateway: Gateway, loot: Loot, phase: "running" | "restarted") => Promise<void>;
};

const HELD = ["409 KEY_HELD unsealed", "409 KEY_HELD unsealed"];
export const WORKS = ["200", "200"];

/** The keys are held, in every operation. */
export function held(...names: readonly string[]): Deed["check"] {
  return async (gateway, { estate }) => {
    for (const name of names) expect(await estate.use(gateway, name), name).toEqual(HELD);
  };
}

/** The keys go on. */
export function works(...names: readonly string[]): Deed["check"] {
  return async (gateway, { estate }) => {
    for (const name of names) expect(await estate.use(gateway, name), name).toEqual(WORKS);
  };
}
