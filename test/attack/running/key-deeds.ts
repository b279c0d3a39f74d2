import { expect } from "vitest";
import { type Deed, held, works } from "./deed.ts";
import { told } from "./estate.ts";
import { edit, put, type RawRow, remove, swap } from "./vandal.ts";

/** Rows that say what a key is and whether it may be used. */
export const KEY_DEEDS: readonly Deed[] = [
  {
    name: "a key that was edited is held",
    run: (database, { estate }) => {
      const { id } = estate.key("edited");
      edit(database, "keys", id, ['"description":""', '"description":"x"']);
      return [`keys ${id}`];
    },
    check: held("edited"),
  },
  {
    name: "two keys that changed places are held",
    run: (database, { estate }) => {
      const [left, right] = [estate.key("left").id, estate.key("right").id];
      swap(database, "keys", left, right);
      return [`keys ${left}`, `keys ${right}`];
    },
    check: held("left", "right"),
  },
  {
    name: "a key that was deleted is held, and its name is not free",
    run: (database, { estate }) => {
      const { id } = estate.key("deleted");
      remove(database, "keys", id);
      return [`keys ${id}`];
    },
    check: async (gateway, loot, phase) => {
      await held("deleted")(gateway, loot, phase);
      const anew = await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: "deleted" } });
      expect(told(anew)).toBe("409 NAME_TAKEN");
    },
  },
  {
    name: "a copy of a key is nobody, and the original works",
    run: (database, { estate, vandal }) => {
      const id = estate.key("copied").id.replace(/.$/u, (last) => (last === "0" ? "1" : "0"));
      put(database, "keys", vandal.read("keys", estate.key("copied").id), id);
      return [`keys ${id}`];
    },
    check: works("copied"),
  },
  {
    name: "a suspended key that was edited to be active stays stopped, and nobody resumes it",
    run: (database, { estate }) => {
      const { id } = estate.key("suspended");
      edit(database, "keys", id, ['"processing":"deny"', '"processing":null']);
      edit(database, "keys", id, ['"state":"suspended","stateReason":"hold"', '"state":"active","stateReason":null']);
      return [`keys ${id}`];
    },
    check: async (gateway, loot, phase) => {
      await held("suspended")(gateway, loot, phase);
      const resumed = await gateway.ask({ method: "POST", path: "/v1/keys/suspended/resume", body: { reason: "why" } });
      expect(told(resumed)).toMatch(/^409 KEY_HELD/u);
    },
  },
  {
    name: "a suspended key that was put back to before stays stopped",
    run: (database, { estate, older }) => {
      const { id } = estate.key("stopped-later");
      put(database, "keys", older.get(id) as RawRow);
      return [`keys ${id}`];
    },
    check: held("stopped-later"),
  },
  {
    name: "a version whose seal was replaced holds its key",
    run: (database, { estate, vandal }) => {
      const sealOf = (name: string): string =>
        (JSON.parse(vandal.read("versions", `${estate.key(name).id}/1`).record) as { seal: string }).seal;
      const id = `${estate.key("resealed").id}/1`;
      edit(database, "versions", id, [sealOf("resealed"), sealOf("fine")]);
      return [`versions ${id}`];
    },
    check: held("resealed"),
  },
  {
    name: "a version that was deleted holds its key, though it is an old one",
    run: (database, { estate }) => {
      const id = `${estate.key("rotated").id}/1`;
      remove(database, "versions", id);
      return [`versions ${id}`];
    },
    check: held("rotated"),
  },
  {
    name: "versions of two keys that changed places hold both",
    run: (database, { estate }) => {
      const ids = ["version-left", "version-right"].map((name) => `${estate.key(name).id}/1`) as [string, string];
      swap(database, "versions", ...ids);
      return ids.map((id) => `versions ${id}`);
    },
    check: held("version-left", "version-right"),
  },
  {
    name: "a namespace whose dual control was edited away holds its keys",
    run: (database) => {
      edit(database, "namespaces", "payments", ['"dualControl":true', '"dualControl":false']);
      return ["namespaces payments"];
    },
    check: async (gateway, loot, phase) => {
      await held("card")(gateway, loot, phase);
      const headers = { "claviger-namespace": "payments" };
      const path = "/v1/keys/card-suspended/resume";
      const resumed = await gateway.ask({ method: "POST", path, headers, body: { reason: "why" } });
      expect(told(resumed)).toMatch(/^409 KEY_HELD/u);
    },
  },
  {
    name: "a namespace that was deleted holds its keys, and none is made in its place",
    run: (database) => {
      remove(database, "namespaces", "archive");
      return ["namespaces archive"];
    },
    check: async (gateway, loot, phase) => {
      await held("ledger")(gateway, loot, phase);
      const anew = await gateway.ask({ method: "POST", path: "/v1/namespaces", body: { name: "archive" } });
      expect(told(anew)).toBe("500 INTEGRITY_FAILURE");
    },
  },
  {
    name: "a history without the suspension lets nobody resume by himself",
    run: (database, { estate }) => {
      const id = `${estate.key("vaulted").id}/2`;
      remove(database, "history", id);
      return [`history ${id}`];
    },
    check: async (gateway) => {
      const headers = { "claviger-namespace": "vault" };
      const path = "/v1/keys/vaulted/resume";
      const resumed = await gateway.ask({ method: "POST", path, headers, body: { reason: "why" } });
      expect(told(resumed)).toBe("403 SEPARATION_OF_DUTIES");
    },
  },
];
