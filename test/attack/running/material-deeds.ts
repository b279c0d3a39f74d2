import { expect } from "vitest";
import type { Gateway } from "../../e2e/live-gateway.ts";
import { type Deed, type Loot, WORKS, works } from "./deed.ts";
import { edit, put, type RawRow, remove } from "./vandal.ts";

/** Rows between a key and its bytes: who has the branch key in memory goes on, and who has not gets no other bytes. */
export const MATERIAL_DEEDS: readonly Deed[] = [
  {
    name: "a wrap that was edited is not used, and another is made",
    run: (database, loot) => {
      const [wrap] = wrapsOf(loot, "wrap-edited");
      edit(database, "wraps", wrap?.id ?? "", ['"wrap":"', '"wrap":"AAAA']);
      return [`wraps ${wrap?.id}`];
    },
    check: async (gateway, loot, phase) => {
      await works("wrap-edited")(gateway, loot, phase);
      await expect.poll(async () => await readyOf(gateway, "wrap-edited"), { timeout: 20_000 }).toBe(2);
    },
  },
  {
    name: "a key without any wrap opens from memory alone",
    run: (database, loot) => {
      const wraps = wrapsOf(loot, "wraps-gone");
      for (const { id } of wraps) remove(database, "wraps", id);
      return wraps.map(({ id }) => `wraps ${id}`);
    },
    // while a gateway has the branch key it makes the wraps anew, before or after this looks
    check: works("wraps-gone"),
  },
  {
    name: "a wrap of another database is not used",
    run: (database, { foreignWrap }) => {
      put(database, "wraps", foreignWrap);
      return [`wraps ${foreignWrap.id}`];
    },
    check: async (gateway, loot, phase) => {
      await works("wrap-planted")(gateway, loot, phase);
      const { json } = await gateway.ask({ path: "/v1/keys/wrap-planted/versions/1" });
      expect(JSON.stringify(json["bindings"])).not.toContain(loot.foreignWrap.id);
      expect(json["bindings"]).toHaveLength(2);
    },
  },
  {
    name: "a recipient that leads to another key over there is not used",
    run: (database, loot) => {
      const [wrap] = wrapsOf(loot, "recipient-edited");
      const { recipient } = JSON.parse(wrap?.record ?? "{}") as { readonly recipient: string };
      edit(database, "recipients", recipient, ['"nativeRef":"', '"nativeRef":"0']);
      return [`recipients ${recipient}`];
    },
    check: works("recipient-edited"),
  },
  {
    name: "a branch that was edited is none",
    run: (database, loot) => {
      const branch = branchOf(loot, "branch-edited");
      edit(database, "branches", branch, ['"minimum":1', '"minimum":0']);
      return [`branches ${branch}`];
    },
    check: coldRefused("branch-edited"),
  },
  {
    name: "a branch version that was deleted opens nothing",
    run: (database, loot) => {
      const id = `${branchOf(loot, "branch-version-gone")}/1`;
      remove(database, "branch_versions", id);
      return [`branch_versions ${id}`];
    },
    check: coldRefused("branch-version-gone"),
  },
];

function coldRefused(name: string): Deed["check"] {
  return async (gateway, { estate }, phase) => {
    const refused = ["500 INTEGRITY_FAILURE", "500 INTEGRITY_FAILURE"];
    expect(await estate.use(gateway, name)).toEqual(phase === "running" ? WORKS : refused);
  };
}

export function branchOf({ estate, vandal }: Pick<Loot, "estate" | "vandal">, name: string): string {
  return (JSON.parse(vandal.read("keys", estate.key(name).id).record) as { readonly branch: string }).branch;
}

function wrapsOf(loot: Loot, name: string): readonly RawRow[] {
  return loot.vandal.find("wraps", `instr(record, '"branch":"${branchOf(loot, name)}"') > 0`);
}

async function readyOf(gateway: Gateway, name: string): Promise<number> {
  const { json } = await gateway.ask({ path: `/v1/keys/${name}` });
  return (json["replication"] as { readonly ready: number }).ready;
}
