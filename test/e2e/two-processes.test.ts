import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAuditOffline } from "#offline/verify-audit.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { eventually } from "./eventually.ts";
import { Gateway } from "./live-gateway.ts";
import { configOf, HSM_LINE } from "./two-providers.ts";
import { createKey, decrypt, encrypt, rotateKey } from "./use-keys.ts";

describe("two gateways on one data folder", { timeout: 60_000 }, () => {
  let folder: DataFolder;
  let one: Gateway;
  let two: Gateway;

  beforeAll(async () => {
    folder = await openDataFolder();
    const config = configOf({ providers: [HSM_LINE, "spare: { kind: local-hsm, failureDomain: spare }"] });
    // at once, on an empty folder: one of them makes everything
    [one, two] = await Promise.all([
      Gateway.start({ data: folder.path, config }),
      Gateway.start({ data: folder.path, config }),
    ]);
  }, 120_000);
  afterAll(async () => {
    await two[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("know each other's keys at once", async () => {
    for (let n = 0; n < 20; n += 1) {
      const [maker, user] = n % 2 === 0 ? [one, two] : [two, one];
      const { id } = await createKey(maker, { name: `key-${n}` });
      const { ciphertext } = await encrypt(user, `key-${n}`, `text ${n}`);
      expect((await decrypt(maker, ciphertext)).text).toBe(`text ${n}`);
      expect((await encrypt(user, id, "by id")).keyVersion).toBe(1);
    }
  });

  it("both refuse a key that one has suspended", async () => {
    for (let n = 0; n < 10; n += 1) {
      const name = `suspended-${n}`;
      await createKey(one, { name });
      await encrypt(two, name, "x");
      const suspended = await one.ask({
        method: "POST",
        path: `/v1/keys/${name}/suspend`,
        body: { reason: "compromise-suspected" },
      });
      expect(suspended, one.complaints).toMatchObject({ status: 200, json: { state: "suspended", unconfirmed: [] } });
      for (const gateway of [two, one]) await expect(encrypt(gateway, name, "x")).rejects.toThrow("KEY_NOT_ACTIVE");
    }
  });

  it("both refuse a credential that one has revoked", async () => {
    const body = { name: "app", role: "user", allow: ["encrypt"] };
    const { id } = (await one.ask({ method: "POST", path: "/v1/clients", body })).json;
    const credentials = `/v1/clients/${String(id)}/credentials`;
    await createKey(one, { name: "of-the-app" });
    for (let n = 0; n < 10; n += 1) {
      const issued = await two.ask({ method: "POST", path: credentials, body: { kind: "api-key" } });
      const { secret: apiKey, id: credential } = issued.json as { readonly secret: string; readonly id: string };
      const use = async (gateway: Gateway): Promise<number> => {
        const sent = { method: "POST", path: "/v1/keys/of-the-app/encrypt", body: { plaintext: "eA==" } };
        return (await gateway.ask({ ...sent, apiKey })).status;
      };
      expect([await use(one), await use(two)]).toEqual([200, 200]);
      expect((await one.ask({ method: "POST", path: `${credentials}/${credential}/revoke` })).status).toBe(200);
      expect([await use(two), await use(one)]).toEqual([401, 401]);
    }
  });

  it("know a namespace at once that one has made", async () => {
    for (let n = 0; n < 5; n += 1) {
      const [maker, user] = n % 2 === 0 ? [one, two] : [two, one];
      const body = { name: `team-${n}`, dualControl: false };
      expect((await maker.ask({ method: "POST", path: "/v1/namespaces", body })).status).toBe(201);
      await createKey(user, { name: "orders" }, { "claviger-namespace": `team-${n}` });
    }
  });

  it("both use the version that one has made", async () => {
    await createKey(one, { name: "rotated" });
    const old = await encrypt(two, "rotated", "old");
    await rotateKey(one, "rotated");
    expect((await encrypt(one, "rotated", "x")).keyVersion).toBe(2);
    const fresh = await eventually("the other uses version 2", 1000, async () => {
      const made = await encrypt(two, "rotated", "new");
      return made.keyVersion === 2 ? made : undefined;
    });
    expect((await decrypt(one, fresh.ciphertext)).text).toBe("new");
    expect((await decrypt(one, old.ciphertext)).text).toBe("old");
    expect((await decrypt(two, old.ciphertext)).text).toBe("old");
  });

  it("one of them makes a key of a name", async () => {
    for (let n = 0; n < 10; n += 1) {
      const tries = await Promise.all(
        [one, two, one, two].map(
          async (gateway) => await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: `raced-${n}` } }),
        ),
      );
      expect(tries.map(({ status }) => String(status)).toSorted()).toEqual(["201", "409", "409", "409"]);
    }
  });

  it("answer one request that both are sent as one, at once or one after another", async () => {
    for (let n = 0; n < 10; n += 1) {
      const sent = { method: "POST", path: "/v1/keys", body: { name: `sent-twice-${n}` } };
      const headers = { "idempotency-key": `sent-twice-${n}` };
      const together = await Promise.all([one, two].map(async (gateway) => await gateway.ask({ ...sent, headers })));
      expect(together.map(({ status, text }) => (status === 201 ? "201" : text))).toEqual(["201", "201"]);
      expect(together.map(({ headers: told }) => told["idempotent-replayed"] === "true").filter(Boolean)).toHaveLength(
        1,
      );
      const after = { ...sent, body: { name: `sent-again-${n}` }, headers: { "idempotency-key": `sent-again-${n}` } };
      const first = await one.ask(after);
      const second = await two.ask(after);
      expect([first.status, second.status, second.json["id"]]).toEqual([201, 201, first.json["id"]]);
    }
  });

  it("write an audit chain each", async () => {
    const report = await verifyAuditOffline({ folder: join(folder.path, "audit"), publicKeys: [], anchors: [] });
    expect(report.findings).toEqual([]);
    expect(report.chains.map(({ process }) => process).toSorted()).toEqual(["gateway", "gateway-2"]);
  });

  it("go on alone when the other is killed", async () => {
    const { ciphertext } = await encrypt(two, "key-0", "x");
    await one.kill();
    expect((await decrypt(two, ciphertext)).text).toBe("x");
    await createKey(two, { name: "made-alone" });
    expect((await encrypt(two, "made-alone", "x")).keyVersion).toBe(1);
    one = await Gateway.start({
      data: folder.path,
      config: configOf({ providers: [HSM_LINE, "spare: { kind: local-hsm, failureDomain: spare }"] }),
    });
    expect((await encrypt(one, "made-alone", "x")).keyVersion).toBe(1);
    const report = await verifyAuditOffline({ folder: join(folder.path, "audit"), publicKeys: [], anchors: [] });
    expect(report.findings).toEqual([]);
    expect(report.chains.map(({ process }) => process).toSorted()).toEqual(["gateway", "gateway-2"]);
  }, 60_000);
});
