import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAuditOffline } from "#offline/verify-audit.ts";
import { Gateway } from "./live-gateway.ts";
import { outcome, Person, succeeded } from "./person.ts";
import { run } from "./readme/shell.ts";

const CONFIG = `
providers:
  hsm-a: { kind: local-hsm, failureDomain: rack-a, jurisdiction: EU }
  hsm-b: { kind: local-hsm, failureDomain: rack-b }
routes:
  - { name: default, place: { holders: all, minimum: 2 } }
`;

let gateway: Gateway;
let admin: Person;
beforeAll(async () => {
  gateway = await Gateway.start({ config: CONFIG });
  admin = new Person(gateway);
  await admin.make("orders");
  await admin.seal("orders", "x");
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
}, 30_000);

type Plan = {
  readonly outcome: string;
  readonly code: string | null;
  readonly attempts: readonly { readonly provider: string }[];
  readonly refused: readonly { readonly provider: string; readonly because: string }[];
};

async function explain(body: object): Promise<Plan> {
  return succeeded(await admin.post("/v1/policy/explain", body)) as Plan;
}

async function metric(name: string): Promise<number | undefined> {
  const { text } = await admin.get("/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

describe("a provider", () => {
  const drain = async (): Promise<string> =>
    outcome(await admin.post("/v1/providers/hsm-a/drain", { reason: "new firmware" }));

  it("that is drained is in no plan, says why, and its share comes back with it", async () => {
    expect((await admin.get("/v1/providers/hsm-a")).json).toMatchObject({
      status: "up",
      jurisdiction: "EU",
      protection: "software",
      drained: null,
      missingWraps: 0,
    });
    expect(await drain()).toBe("200");
    expect((await admin.get("/v1/providers/hsm-a")).json).toMatchObject({
      status: "drained",
      statusReason: "new firmware",
      drained: { by: "admin", reason: "new firmware" },
    });
    const plan = await explain({ operation: "decrypt", key: "orders" });
    expect(plan.attempts.map(({ provider }) => provider)).toEqual(["hsm-b"]);
    expect(plan.refused).toEqual([expect.objectContaining({ provider: "hsm-a", because: "drained" })]);
    expect(await metric('claviger_breaker_state{provider="hsm-a",plane="data"}')).toBe(3);
    const custody = { kind: "portable", dedicated: true };
    const refused = await admin.post("/v1/keys", { name: "on-both", custody });
    expect([outcome(refused), refused.json["retry"]]).toEqual(["503 QUORUM_NOT_REACHED", "later"]);
    expect(outcome(await admin.get("/v1/keys/on-both"))).toBe("404 KEY_NOT_FOUND");
    // on one of two: the other wrap is missing, and made when that provider is back
    await admin.make("on-one", { custody: { ...custody, minimum: 1 } });
    expect((await admin.get("/v1/keys/on-one")).json["replication"]).toEqual({
      wanted: 2,
      ready: 1,
      minimum: 1,
      missing: ["hsm-a"],
    });
    expect(await metric('claviger_wraps_missing{provider="hsm-a"}')).toBe(1);
    expect((await admin.get("/v1/providers/hsm-b")).json["keysServedOnlyHere"]).toBe(1);
    expect(outcome(await admin.post("/v1/providers/hsm-a/restore", { share: 0.5 }))).toBe("200");
    expect((await admin.get("/v1/providers/hsm-a")).json).toMatchObject({ status: "up", drained: null });
    const ready = async (): Promise<unknown> =>
      ((await admin.get("/v1/keys/on-one")).json["replication"] as { readonly ready: number }).ready;
    await expect.poll(ready, { timeout: 20_000 }).toBe(2);
    expect((await metric('claviger_wraps_missing{provider="hsm-a"}')) ?? 0).toBe(0);
    expect(outcome(await admin.post("/v1/providers/hsm-a/restore"))).toBe("200");
  }, 30_000);

  it("that all are drained leaves what is warm, and nothing new", async () => {
    expect(await drain()).toBe("200");
    expect(outcome(await admin.post("/v1/providers/hsm-b/drain", { reason: "x" }))).toBe("200");
    expect(await admin.tries("orders")).toBe("200");
    expect(await explain({ operation: "decrypt", key: "orders" })).toMatchObject({ outcome: "allowed", cached: true });
    expect((await admin.get("/readyz")).json).toEqual({ ready: true });
    for (const name of ["hsm-a", "hsm-b"]) succeeded(await admin.post(`/v1/providers/${name}/restore`));
  });

  it("answers a probe with how it is, and one that there is not is not found", async () => {
    const probed = succeeded(await admin.post("/v1/providers/hsm-b/probe"));
    expect(probed).toMatchObject({ name: "hsm-b", status: "up" });
    const { gateways } = probed as { readonly gateways: readonly { readonly data: { readonly calls: number } }[] };
    expect(gateways[0]?.data.calls).toBeGreaterThan(0);
    for (const verb of ["drain", "restore", "probe"])
      expect(outcome(await admin.post(`/v1/providers/cloud/${verb}`, verb === "drain" ? { reason: "x" } : {}))).toBe(
        "404 NOT_FOUND",
      );
  });
});

describe("the policy", () => {
  it("is shown as it runs", async () => {
    const { json } = await admin.get("/v1/policy");
    expect(json).toMatchObject({ gateway: "gateway", routes: [{ name: "default" }] });
    expect(json["policyHash"]).toMatch(/^\S{8,}$/u);
    expect(await explain({ operation: "encrypt", key: "orders" })).toMatchObject({
      policyHash: json["policyHash"],
      route: "default",
      keyVersion: 1,
      runsIn: "gateway",
      outcome: "allowed",
      code: null,
    });
  });

  it("explains what would happen without a provider, and calls nobody", async () => {
    const calls = await metric('claviger_provider_calls_total{provider="hsm-a",operation="unwrap",outcome="ok"}');
    const down = await explain({ operation: "decrypt", key: "orders", assume: { down: ["hsm-a"] } });
    expect(down.refused).toContainEqual(expect.objectContaining({ provider: "hsm-a", detail: "assumed to be down" }));
    expect(down.attempts.map(({ provider }) => provider)).toEqual(["hsm-b"]);
    const create = await explain({ operation: "create-key", create: {}, assume: { drained: ["hsm-b"] } });
    expect(create).toMatchObject({ outcome: "refused", code: "QUORUM_NOT_REACHED" });
    expect(await explain({ operation: "create-key", create: {} })).toMatchObject({
      outcome: "allowed",
      needed: 2,
      attempts: [{ provider: "hsm-a" }, { provider: "hsm-b" }],
    });
    expect(await metric('claviger_provider_calls_total{provider="hsm-a",operation="unwrap",outcome="ok"}')).toBe(calls);
  });

  it("explains a refusal by its code", async () => {
    await admin.make("stopped");
    succeeded(await admin.post("/v1/keys/stopped/suspend", { reason: "hold" }));
    const refused = { outcome: "refused", code: "KEY_NOT_ACTIVE" };
    expect(await explain({ operation: "decrypt", key: "stopped" })).toMatchObject(refused);
    expect(await explain({ operation: "sign", key: "orders" })).toMatchObject({ outcome: "refused" });
    const stranger = await admin.hire("planner", { role: "operator" });
    const asked = await stranger.post("/v1/policy/explain", { operation: "encrypt", key: "orders" });
    expect(asked.json).toMatchObject({ outcome: "refused", code: "PERMISSION_DENIED" });
    for (const body of [
      { operation: "encrypt" },
      { operation: "create-key" },
      { operation: "encrypt", key: "orders", assume: { down: ["cloud"] } },
    ])
      expect(outcome(await admin.post("/v1/policy/explain", body))).toBe("400 INVALID_ARGUMENT");
    expect(outcome(await admin.post("/v1/policy/explain", { operation: "encrypt", key: "nothing" }))).toBe(
      "404 KEY_NOT_FOUND",
    );
  });

  it("is validated with every mistake and its place", async () => {
    const validate = async (text: string): Promise<unknown> =>
      succeeded(await admin.post("/v1/policy/validate", text, { "content-type": "application/yaml" }));
    expect(await validate(CONFIG)).toEqual({ valid: true, problems: [] });
    expect(await validate(CONFIG.replace("minimum: 2", "minimum: 3").replace("hsm-a:", "hsm-a: &x"))).toMatchObject({
      valid: false,
    });
    expect(await validate("providers:\n  a: { kind: nothing }\nlisten: { prot: 1 }\n")).toMatchObject({
      valid: false,
      problems: [
        { line: 2, column: 14, message: expect.stringContaining("wanted aws-kms, ") },
        { line: 3, column: 11, message: expect.stringContaining("did you mean port?") },
      ],
    });
    const json = await admin.post("/v1/policy/validate", { providers: {} });
    expect(outcome(json)).toBe("415 UNSUPPORTED_MEDIA_TYPE");
  });
});

describe("the health of a gateway", () => {
  it("is asked without a credential", async () => {
    for (const path of ["/healthz", "/readyz", "/metrics"])
      expect((await gateway.ask({ path, apiKey: null })).status, path).toBe(200);
    expect((await gateway.ask({ path: "/readyz", apiKey: null })).json).toEqual({ ready: true });
  });

  it("is told by metrics under the names of the interface", async () => {
    const { text, headers } = await admin.get("/metrics");
    expect(headers["content-type"]).toMatch(/^text\/plain/u);
    const types = Object.fromEntries(
      [...text.matchAll(/^# TYPE (?<name>\S+) (?<type>\S+)$/gmu)].map(({ groups }) => [
        groups?.["name"],
        groups?.["type"],
      ]),
    );
    expect(types).toEqual({
      claviger_requests_total: "counter",
      claviger_request_duration_seconds: "histogram",
      claviger_provider_calls_total: "counter",
      claviger_provider_call_duration_seconds: "histogram",
      claviger_breaker_state: "gauge",
      claviger_last_resort_total: "counter",
      claviger_wraps_missing: "gauge",
      claviger_keys_below_minimum: "gauge",
      claviger_branch_key_cache_total: "counter",
      claviger_catalog_staleness_seconds: "gauge",
      claviger_audit_append_duration_seconds: "histogram",
      claviger_audit_free_bytes: "gauge",
      claviger_drift_open: "gauge",
    });
    const before = await metric('claviger_requests_total{door="rest",operation="encrypt",code="ok"}');
    await admin.tries("orders");
    expect(await metric('claviger_requests_total{door="rest",operation="encrypt",code="ok"}')).toBe((before ?? 0) + 1);
    await admin.tries("nothing");
    expect(
      await metric('claviger_requests_total{door="rest",operation="encrypt",code="KEY_NOT_FOUND"}'),
    ).toBeGreaterThan(0);
    expect(await metric("claviger_audit_free_bytes")).toBeGreaterThan(0);
    expect(text).not.toContain("orders"); // no name of a key is a label
  });
});

describe("the trail", () => {
  type Event = Readonly<Record<string, unknown>>;
  const list = async (
    query: string,
  ): Promise<{ readonly items: readonly Event[]; readonly nextCursor: string | null }> =>
    succeeded(await admin.get(`/v1/audit?${query}`)) as never;

  it("has a change begun and done, an operation once, and a refusal with its code", async () => {
    succeeded(await admin.post("/v1/keys", { name: "traced" }, { "x-request-id": "trace-create" }));
    const { items } = await list("requestId=trace-create");
    expect(items).toMatchObject([
      { operation: "keys.create", outcome: "ok", door: "rest", namespace: "default", detail: { person: "admin" } },
      { operation: "keys.create", outcome: "begun" },
    ]);
    await admin.post("/v1/keys/traced/encrypt", { plaintext: "aHVudGVyMg==" }, { "x-request-id": "trace-encrypt" });
    const [sealed, ...more] = (await list("requestId=trace-encrypt")).items;
    expect([more, sealed]).toMatchObject([
      [],
      { operation: "encrypt", outcome: "ok", keyVersion: 1, provider: "gateway" },
    ]);
    await admin.post(
      "/v1/keys/traced/encrypt",
      { items: [{ plaintext: "" }, { plaintext: "x" }] },
      { "x-request-id": "trace-batch" },
    );
    expect((await list("requestId=trace-batch")).items).toMatchObject([{ outcome: "ok", items: [["ok", 1]] }]);
    succeeded(
      await admin.post(
        "/v1/keys/traced/suspend",
        { reason: "hold", ticket: "INC-7" },
        { "x-request-id": "trace-suspend" },
      ),
    );
    await admin.post("/v1/keys/traced/encrypt", { plaintext: "" }, { "x-request-id": "trace-refused" });
    expect((await list("requestId=trace-refused")).items).toMatchObject([
      { outcome: "KEY_NOT_ACTIVE", key: items[0]?.["key"] },
    ]);
    expect((await list("requestId=trace-suspend")).items[0]).toMatchObject({
      detail: { reason: "hold", ticket: "INC-7" },
    });
    expect((await list(`key=${String(items[0]?.["key"])}&outcome=KEY_NOT_ACTIVE`)).items).toHaveLength(1);
    expect(JSON.stringify((await list("limit=1000")).items)).not.toContain("aHVudGVyMg");
  });

  it("comes in pages, newest first, with filters", async () => {
    for (let n = 0; n < 5; n += 1) await admin.tries("orders");
    const first = await list("operation=encrypt&outcome=ok&limit=2");
    const second = await list(`operation=encrypt&outcome=ok&limit=2&cursor=${first.nextCursor}`);
    const sequences = [...first.items, ...second.items].map(({ sequence }) => Number(sequence));
    expect(sequences).toHaveLength(4);
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a));
    expect(new Set(sequences).size).toBe(4);
    expect((await list("since=2100-01-01T00:00:00Z")).items).toEqual([]);
    expect((await list("until=2020-01-01T00:00:00Z")).items).toEqual([]);
    for (const query of [`operation=decrypt&cursor=${first.nextCursor}`, "colour=red", "since=yesterday", "limit=0"])
      expect(outcome(await admin.get(`/v1/audit?${query}`)), query).toBe("400 INVALID_ARGUMENT");
  });

  it("of another namespace is not an operator's to read, and an auditor's", async () => {
    succeeded(await admin.post("/v1/namespaces", { name: "payments" }));
    const payments = new Person(gateway, { namespace: "payments" });
    succeeded(await payments.post("/v1/keys", { name: "card" }, { "x-request-id": "trace-card" }));
    const count = async (person: Person): Promise<number> =>
      ((await person.get("/v1/audit?requestId=trace-card")).json["items"] as readonly object[]).length;
    expect(await count(await admin.hire("operator", { role: "operator" }))).toBe(0);
    expect(await count(await admin.hire("auditor", { role: "auditor" }))).toBe(2);
    expect(await count(await payments.hire("local-operator", { role: "operator" }))).toBe(2);
  });

  it("is traced by the command, and verifies while the gateway runs", async () => {
    const shell = { folder: join(gateway.data, ".."), address: gateway.address.origin };
    const traced = await run(shell, "npx claviger audit trace trace-create -o json");
    expect(traced).toMatchObject({ code: 0, stderr: "" });
    expect(traced.stdout).toContain("keys.create");
    const verified = await run(shell, "npx claviger audit verify");
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    const report = await verifyAuditOffline({ folder: join(gateway.data, "audit"), publicKeys: [], anchors: [] });
    expect(report).toMatchObject({ ok: true, findings: [] });
  }, 30_000);
});
