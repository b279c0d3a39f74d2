import type Sqlite from "better-sqlite3";
import { expect } from "vitest";
import { unsafeRevealSecret } from "#core/secret.ts";
import { createApiKey } from "#http/api-key.ts";
import { type Deed } from "./deed.ts";
import { type Estate, told } from "./estate.ts";
import { edit, put, type RawRow, remove, swap } from "./vandal.ts";

/** A credential that the vandal has made for himself, as good as any but for what the rows say. */
const VANDALS = createApiKey({
  bytes: (count) => Buffer.alloc(count, 7),
  kernelBytes: (count) => Buffer.alloc(count, 7),
});

/** Rows that say who may do what. */
export const CLIENT_DEEDS: readonly Deed[] = [
  {
    name: "a role that one gives oneself is none",
    run: (database, { estate }) => editedClient(database, estate, "climber", ['"role":"user"', '"role":"admin"']),
    check: unknown("climber"),
  },
  {
    name: "operations that one allows oneself are none",
    run: (database, { estate }) => editedClient(database, estate, "grasper", ['"allow":[]', '"allow":["*"]']),
    check: unknown("grasper"),
  },
  {
    name: "keys that one adds to one's own are none",
    run: (database, { estate }) => editedClient(database, estate, "widener", ['"keys":["none"]', '"keys":["*"]']),
    check: unknown("widener"),
  },
  {
    name: "a context that one frees oneself from binds all the same",
    run: (database, { estate }) =>
      editedClient(database, estate, "bound", ['"contextEquals":{"tenant":"a"}', '"contextEquals":{}']),
    check: unknown("bound"),
  },
  {
    name: "clients that changed places are nobody",
    run: (database, { estate }) => {
      const [low, high] = [estate.client("low").id, estate.client("high").id];
      swap(database, "clients", low, high);
      return [`clients ${low}`, `clients ${high}`];
    },
    check: unknown("low", "high"),
  },
  {
    name: "a client that was deleted is nobody",
    run: (database, { estate }) => {
      const { id } = estate.client("gone");
      remove(database, "clients", id);
      return [`clients ${id}`];
    },
    check: unknown("gone"),
  },
  {
    name: "a revoked credential that was edited to be active stays revoked",
    run: (database, { estate }) => {
      const { credential } = estate.client("revoked");
      edit(database, "credentials", credential, ['"state":"revoked"', '"state":"active"']);
      return [`credentials ${credential}`];
    },
    check: unknown("revoked"),
  },
  {
    name: "a revoked credential that was put back to before stays revoked",
    run: (database, { estate, older }) => {
      const { credential } = estate.client("revoked-later");
      put(database, "credentials", older.get(credential) as RawRow);
      return [`credentials ${credential}`];
    },
    check: unknown("revoked-later"),
  },
  {
    name: "a credential whose digest was replaced is nobody's",
    run: (database, { estate, vandal }) => {
      const { credential } = estate.client("replaced");
      const { digest } = JSON.parse(vandal.read("credentials", credential).record) as { readonly digest: string };
      edit(database, "credentials", credential, [digest, VANDALS.digest]);
      return [`credentials ${credential}`];
    },
    check: unknown("replaced"),
  },
  {
    name: "a credential that somebody planted is nobody's",
    run: (database, { estate, vandal }) => {
      const row = vandal.read("credentials", estate.client("chief").credential);
      const { digest, ...rest } = JSON.parse(row.record) as { readonly digest: string; readonly id: string };
      const id = rest.id.replace(/.$/u, (last) => (last === "0" ? "1" : "0"));
      const record = JSON.stringify({ ...rest, id }).replace(
        '"expireTime"',
        `"digest":"${VANDALS.digest}","expireTime"`,
      );
      put(database, "credentials", { ...row, id, record });
      return digest === VANDALS.digest ? [] : [`credentials ${id}`];
    },
    check: async (gateway, loot, phase) => {
      await unknown()(gateway, loot, phase);
      expect((await gateway.ask({ path: "/v1/keys", apiKey: loot.estate.client("chief").apiKey })).status).toBe(200);
    },
  },
];

/** Neither the client's own credential nor one that the vandal has made for it counts. */
function unknown(...names: readonly string[]): Deed["check"] {
  return async (gateway, { estate }) => {
    for (const apiKey of [...names.map((name) => estate.client(name).apiKey), unsafeRevealSecret(VANDALS.secret)]) {
      const body = { plaintext: "" };
      for (const asked of [
        { path: "/v1/keys" },
        { method: "POST", path: "/v1/keys/fine/encrypt", body },
        { method: "POST", path: "/v1/keys/fine/suspend", body: { reason: "hold" } },
      ])
        expect(told(await gateway.ask({ ...asked, apiKey })), names.join()).toBe("401 UNAUTHENTICATED");
    }
  };
}

function editedClient(
  database: Sqlite.Database,
  estate: Estate,
  name: string,
  change: readonly [string, string],
): readonly string[] {
  const { id } = estate.client(name);
  edit(database, "clients", id, change);
  return [`clients ${id}`];
}
