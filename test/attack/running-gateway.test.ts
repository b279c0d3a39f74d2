import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAuditOffline } from "#offline/verify-audit.ts";
import { RECORDS, putRecord } from "../conformance/sealed-records.ts";
import { writes } from "../conformance/store-subject.ts";
import { type DataFolder, openDataFolder } from "../e2e/data-folder.ts";
import { eventually } from "../e2e/eventually.ts";
import { Gateway } from "../e2e/live-gateway.ts";
import { createSqliteSubject } from "../unit/store/sqlite-subject.ts";
import { CLIENT_DEEDS } from "./running/client-deeds.ts";
import type { Deed, Loot } from "./running/deed.ts";
import { Estate } from "./running/estate.ts";
import { furnish } from "./running/furnish.ts";
import { KEY_DEEDS } from "./running/key-deeds.ts";
import { branchOf, MATERIAL_DEEDS } from "./running/material-deeds.ts";
import { edit, put, type RawRow, Vandal } from "./running/vandal.ts";

const DEEDS: readonly Deed[] = [...KEY_DEEDS, ...MATERIAL_DEEDS, ...CLIENT_DEEDS];

describe("a gateway whose database somebody else writes", () => {
  let folder: DataFolder;
  let gateway: Gateway;
  let loot: Loot;
  let secret: RawRow;
  const rows = new Map<Deed, readonly string[]>();

  beforeAll(async () => {
    folder = await openDataFolder();
    gateway = await Gateway.start({ data: folder.path });
    const [estate, vandal] = [new Estate(), new Vandal(folder.path)];
    const older = await furnish(gateway, estate, vandal);
    const known = { estate, vandal, older };
    loot = { ...known, foreignWrap: await foreignWrapFor(known) };
    secret = vandal.read("secrets", "audit-signing-key");
    vandal.run((database) => {
      edit(database, "secrets", secret.id, ['"sealed":"', '"sealed":"AAAA']);
      for (const deed of DEEDS) rows.set(deed, deed.run(database, loot));
    });
    await eventually("every row is named", 30_000, () => {
      const missing = DEEDS.flatMap((deed) => rows.get(deed) ?? []).filter((row) => !isNamed(gateway, row));
      return missing.length === 0 ? true : undefined;
    });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  }, 60_000);

  it("names a secret that was edited, and signs its trail with what it has", async () => {
    expect(isNamed(gateway, "secrets audit-signing-key")).toBe(true);
    const report = await verifyAuditOffline({ folder: join(folder.path, "audit"), publicKeys: [], anchors: [] });
    expect(report).toMatchObject({ ok: true, findings: [] });
  });

  describe.for(["running", "restarted"] as const)("while %s", (phase) => {
    beforeAll(async () => {
      if (phase === "running") return;
      expect(await gateway.stop()).toBe(0);
      // no gateway starts without it, and refused-start.test.ts tells how
      loot.vandal.run((database) => {
        put(database, "secrets", secret);
      });
      gateway = await Gateway.start({ data: folder.path });
    }, 60_000);

    it.for(DEEDS)("$name", { timeout: 30_000 }, async (deed) => {
      for (const row of rows.get(deed) ?? []) expect(isNamed(gateway, row) || isMended(phase, row), row).toBe(true);
      await deed.check(gateway, loot, phase);
    });

    it("goes on with every other key", async () => {
      expect(await loot.estate.use(gateway, "fine")).toEqual(["200", "200"]);
      expect((await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: `new-${phase}` } })).status).toBe(
        201,
      );
    });
  });
});

/** What needs no person: a wrap is made anew while the branch key is in memory. */
function isMended(phase: string, row: string): boolean {
  return phase === "restarted" && /^(?:wraps|recipients) /u.test(row);
}

function isNamed(gateway: Gateway, row: string): boolean {
  return gateway.log.includes(`ROW_UNSEALED ${row}: `);
}

/** A wrap row that says the right things, sealed by the store of somebody else. */
async function foreignWrapFor({ estate, vandal }: Pick<Loot, "estate" | "vandal">): Promise<RawRow> {
  await using subject = await createSqliteSubject();
  const store = await subject.open();
  const branch = branchOf({ estate, vandal }, "wrap-planted");
  const [own] = vandal.find("wraps", `instr(record, '"branch":"${branch}"') > 0`);
  const record = { ...RECORDS.wraps(1), ...JSON.parse(own?.record ?? "{}"), id: RECORDS.wraps(1).id };
  await store.change(writes(putRecord("wraps", record, 0)));
  return subject.attack((database) => database.prepare<[], RawRow>("select * from wraps").get()) as RawRow;
}
