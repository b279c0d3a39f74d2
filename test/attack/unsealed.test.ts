import { hash } from "node:crypto";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalJson } from "#core/canonical-json.ts";
import { KmsError } from "#core/errors.ts";
import { openOffline } from "#offline/open.ts";
import { type DataFolder, openDataFolder } from "../e2e/data-folder.ts";
import { Gateway } from "../e2e/live-gateway.ts";
import { Estate, PLAINTEXT, told } from "./running/estate.ts";
import { Vandal } from "./running/vandal.ts";

const FOREVER = 9_000_000_000_000_000;

describe("what is not sealed, and was edited while the gateway stood still", () => {
  let folder: DataFolder;
  let gateway: Gateway;
  const estate = new Estate();
  const before = new Map<string, string>();

  const journal = (): string => join(folder.path, "journal.jsonl");
  const openWith = async (name: string, provider = "hsm-b"): Promise<string> => {
    const { ciphertext } = estate.key(name);
    const options = { ciphertext, journal: journal(), provider, context: {} };
    try {
      const opened = await openOffline(options, { environment: {}, readText: () => "" });
      return opened.toString("base64");
    } catch (error) {
      return error instanceof KmsError ? error.code : String(error);
    }
  };

  beforeAll(async () => {
    folder = await openDataFolder();
    gateway = await Gateway.start({ data: folder.path });
    await estate.addNamespace(gateway, "vault");
    for (const name of ["fine", "edited", "cut", "removed"]) await estate.addKey(gateway, name);
    await estate.addKey(gateway, "hidden", { namespace: "vault" });
    const headers = { "idempotency-key": "once" };
    await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: "made-once" }, headers });
    await gateway.stop();
    await damageJournal(journal(), estate);
    for (const name of ["fine", "edited", "cut", "removed"]) before.set(name, await openWith(name));
    new Vandal(folder.path).run((database) => {
      editLive(database, estate);
    });
    gateway = await Gateway.start({ data: folder.path });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  }, 60_000);

  describe("the journal", () => {
    it("opens nothing through a line that was edited, and everything through the others", () => {
      expect(Object.fromEntries(before)).toEqual({
        fine: PLAINTEXT,
        edited: "INTEGRITY_FAILURE",
        cut: "KEY_NOT_FOUND",
        removed: "KEY_NOT_FOUND",
      });
    });

    it("is named as damaged, and told again", async () => {
      expect(gateway.log).toContain("JOURNAL_DAMAGED: a line of the journal does not verify");
      for (const name of before.keys())
        await expect.poll(async () => await openWith(name), { timeout: 10_000 }).toBe(PLAINTEXT);
    });

    it("is told again when it is cut while the gateway runs", async () => {
      await truncate(journal(), 0);
      await estate.addKey(gateway, "made-later");
      expect(gateway.log).toContain("JOURNAL_DAMAGED: the journal was cut or replaced");
      for (const name of ["made-later", ...before.keys()])
        await expect.poll(async () => await openWith(name, "hsm-a"), { timeout: 10_000 }).toBe(PLAINTEXT);
    });
  });

  describe("a row that nobody seals", () => {
    it("of a last use tells no date that there is not, and keeps no key from being read", async () => {
      const { status, json } = await gateway.ask({ path: "/v1/keys" });
      expect(status).toBe(200);
      const keys = json["items"] as readonly { readonly name: string; readonly lastUseTime: string | null }[];
      expect(keys.find(({ name }) => name === "edited")?.lastUseTime).toBeNull();
    });

    it("of a heartbeat keeps nobody from reading the providers, and no restriction from counting", async () => {
      const { json } = await gateway.ask({ path: "/v1/providers/hsm-a" });
      expect(json).toMatchObject({ status: "up", gateways: [{ data: { state: "closed" } }] });
      const path = "/v1/keys/cut/suspend";
      const suspended = await gateway.ask({ method: "POST", path, body: { reason: "hold" } });
      // who says that he lags is waited for, and named; the key is stopped here all the same
      expect(suspended).toMatchObject({ status: 200, json: { state: "suspended", unconfirmed: ["laggard"] } });
      expect(await estate.use(gateway, "cut")).toEqual(["409 KEY_NOT_ACTIVE", "409 KEY_NOT_ACTIVE"]);
    }, 20_000);

    it("of an Idempotency-Key answers for no change that was not made", async () => {
      const ask = async (path: string, body: object, key: string): Promise<string> => {
        const { status, json, headers } = await gateway.ask({
          method: "POST",
          path,
          body,
          headers: { "idempotency-key": key },
        });
        return [status, json["code"] ?? json["state"], headers["idempotent-replayed"]].join(" ").trim();
      };
      expect(await ask("/v1/keys", { name: "made-once" }, "once")).toBe("409 NAME_TAKEN");
      expect(await ask("/v1/keys/fine/suspend", { reason: "hold" }, "planted")).toBe("200 suspended");
      expect(await estate.use(gateway, "fine")).toEqual(["409 KEY_NOT_ACTIVE", "409 KEY_NOT_ACTIVE"]);
      expect(await ask("/v1/keys/fine/suspend", { reason: "hold" }, "fresh")).toBe("200 suspended");
    });

    it("of a lease that never ends keeps no work from being done", async () => {
      const vandal = new Vandal(folder.path);
      const holder = (): unknown =>
        vandal.run((database) =>
          database.prepare("select process from live.leases where name = 'background'").pluck().get(),
        );
      await expect.poll(holder, { timeout: 10_000 }).toMatch(/^gateway-/u);
    });

    it("of a name leads to no other key", async () => {
      expect((await gateway.ask({ path: "/v1/keys/fine" })).json["id"]).toBe(estate.key("fine").id);
      expect(told(await gateway.ask({ path: "/v1/keys/planted-name" }))).toBe("404 KEY_NOT_FOUND");
    });
  });
});

/** Edits the line of one key, removes that of another, and cuts that of a third, which is made the last. */
async function damageJournal(file: string, estate: Estate): Promise<void> {
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  const lineOf = (name: string): string => {
    const uuid = estate.key(name).id.slice("key_".length);
    return lines.find((line) => line.includes(`"key":"${uuid}"`)) ?? "";
  };
  const [edited, cut] = [lineOf("edited"), lineOf("cut")];
  const others = lines.filter((line) => ![edited, cut, lineOf("removed")].includes(line));
  const broken = edited.replace(/"seal":"..../u, '"seal":"AAAA');
  await writeFile(file, [...others, broken, cut.slice(0, -25)].join("\n"));
}

/** Writes what no gateway would into the tables that have no seal. */
function editLive(database: Sqlite.Database, estate: Estate): void {
  const run = (sql: string, ...values: readonly unknown[]): unknown => database.prepare(sql).run(...values);
  run("insert or replace into live.last_use values (?, ?)", estate.key("edited").id, FOREVER);
  run("insert or replace into live.leases values ('background', 'vandal', ?)", FOREVER);
  const beat = { gateway: "g", policyHash: "", time: FOREVER, appliedRevision: 0 };
  const beats = [
    { ...beat, process: "laggard", report: "null" },
    { ...beat, process: "boaster", appliedRevision: FOREVER, report: '{"hsm-a":{}}' },
    {
      ...beat,
      process: "liar",
      appliedRevision: FOREVER,
      report: '{"hsm-a":{"data":{"state":"open"},"control":null}}',
    },
    { ...beat, process: "fool", appliedRevision: FOREVER, report: "{" },
  ];
  for (const body of beats)
    run("insert into live.heartbeats values (?, ?, ?)", body.process, JSON.stringify(body), FOREVER);
  const kept = database.prepare<[], { credential: string; entry: string }>("select * from idempotency").get();
  // as this gateway writes them, but for the seal; and with the seal of another
  const { text, ...sealed } = JSON.parse(kept?.entry ?? "{}") as { readonly text: string };
  const planted = canonicalJson({
    ...(JSON.parse(text) as object),
    key: "planted",
    path: "/v1/keys/fine/suspend",
    bodyDigest: hash("sha256", canonicalJson({ reason: "hold" }), "base64"),
    resource: `/v1/keys/${estate.key("fine").id}`,
    status: 200,
  });
  const entry = JSON.stringify({ ...sealed, text: planted });
  run("insert into idempotency values (?, 'planted', ?, ?)", kept?.credential, entry, FOREVER);
  run("update idempotency set entry = replace(entry, 'made', 'mode') where key = 'once'");
  run("update idempotency set entry = replace(entry, '201', '200') where key = 'once'");
  run("update names set key_id = ? where name = 'fine'", estate.key("hidden").id);
  run("insert into names values ('default', 'planted-name', ?)", estate.key("fine").id);
}
