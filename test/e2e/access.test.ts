import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Gateway } from "./live-gateway.ts";
import { outcome, Person, succeeded } from "./person.ts";

const DENIED = "403 PERMISSION_DENIED";
const HIDDEN = "404 KEY_NOT_FOUND";

const WRAPPING_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .publicKey.export({ format: "der", type: "spki" })
  .toString("base64");

let gateway: Gateway;
let admin: Person;
beforeAll(async () => {
  gateway = await Gateway.start();
  admin = new Person(gateway);
  for (const name of ["orders-1", "orders-2", "invoices"]) await admin.make(name);
  const custody = { kind: "native", provider: "hsm-a" };
  await admin.make("brought", { purpose: "mac", custody, material: "import" });
  await admin.make("leaving", { purpose: "mac", custody, exportability: { extractable: true } });
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
}, 30_000);

/** Requests that each role is held against, and the roles that may make them. */
const ROUTES: readonly {
  readonly name: string;
  readonly ask: (person: Person) => ReturnType<Person["get"]>;
  readonly roles: string;
}[] = [
  { name: "read a key", ask: (p) => p.get("/v1/keys/orders-1"), roles: "user operator admin auditor" },
  { name: "list keys", ask: (p) => p.get("/v1/keys"), roles: "user operator admin auditor" },
  {
    name: "read a key's history",
    ask: (p) => p.get("/v1/keys/orders-1/history"),
    roles: "user operator admin auditor",
  },
  { name: "encrypt", ask: (p) => p.post("/v1/keys/orders-1/encrypt", { plaintext: "" }), roles: "user operator admin" },
  { name: "create a key", ask: (p) => p.post("/v1/keys?dryRun=true", { name: "new" }), roles: "admin" },
  { name: "change a key", ask: (p) => p.patch("/v1/keys/orders-1?dryRun=true", { owner: "x" }), roles: "admin" },
  {
    name: "suspend",
    ask: (p) => p.post("/v1/keys/orders-1/suspend?dryRun=true", { reason: "hold" }),
    roles: "operator admin",
  },
  { name: "rotate", ask: (p) => p.post("/v1/keys/orders-1/rotate?dryRun=true"), roles: "operator admin" },
  { name: "resume", ask: (p) => p.post("/v1/keys/orders-1/resume?dryRun=true", { reason: "x" }), roles: "admin" },
  {
    name: "compromise",
    ask: (p) => p.post("/v1/keys/orders-1/compromise?dryRun=true", { reason: "x" }),
    roles: "admin",
  },
  {
    name: "deactivate",
    ask: (p) => p.post("/v1/keys/orders-1/deactivate?dryRun=true", { reason: "revoked" }),
    roles: "admin",
  },
  {
    name: "move an alias",
    ask: (p) => p.post("/v1/aliases/x/move?dryRun=true", { from: "orders-1", to: "orders-1" }),
    roles: "admin",
  },
  {
    name: "ask what a client may",
    ask: (p) => p.post("/v1/keys/orders-1/access-explain", { client: "admin", operation: "encrypt" }),
    roles: "operator admin auditor",
  },
  { name: "list clients", ask: (p) => p.get("/v1/clients"), roles: "operator admin auditor" },
  { name: "create a client", ask: (p) => p.post("/v1/clients?dryRun=true", { name: "new" }), roles: "admin" },
  {
    name: "give a credential",
    ask: (p) => p.post("/v1/clients/admin/credentials?dryRun=true", { kind: "api-key" }),
    roles: "admin",
  },
  { name: "list namespaces", ask: (p) => p.get("/v1/namespaces"), roles: "operator admin auditor" },
  { name: "create a namespace", ask: (p) => p.post("/v1/namespaces?dryRun=true", { name: "new" }), roles: "admin" },
  { name: "list providers", ask: (p) => p.get("/v1/providers"), roles: "operator admin auditor" },
  {
    name: "change recipients",
    ask: (p) => p.post("/v1/keys/orders-1/recipients?dryRun=true", {}),
    roles: "admin",
  },
  {
    name: "have material wrapped for an import",
    ask: (p) => p.post("/v1/keys/brought/import-parameters"),
    roles: "admin",
  },
  { name: "read an exposure", ask: (p) => p.get("/v1/keys/orders-1/exposure"), roles: "operator admin auditor" },
  { name: "read a status", ask: (p) => p.get("/v1/keys/orders-1/status"), roles: "user operator admin auditor" },
  { name: "export wraps", ask: (p) => p.post("/v1/keys/orders-1/export-wraps"), roles: "admin" },
  {
    name: "export a key",
    ask: (p) => p.post("/v1/keys/leaving/export", { wrappingKey: WRAPPING_KEY }),
    roles: "admin",
  },
  { name: "read the inventory", ask: (p) => p.get("/v1/inventory?ours=true"), roles: "operator admin auditor" },
  {
    name: "read what a provider offers",
    ask: (p) => p.get("/v1/providers/hsm-a/capabilities"),
    roles: "operator admin auditor",
  },
  {
    name: "drain a provider",
    ask: (p) => p.post("/v1/providers/hsm-a/drain?dryRun=true", { reason: "x" }),
    roles: "operator admin",
  },
  {
    name: "restore a provider",
    ask: (p) => p.post("/v1/providers/hsm-a/restore?dryRun=true"),
    roles: "operator admin",
  },
  { name: "probe a provider", ask: (p) => p.post("/v1/providers/hsm-a/probe?dryRun=true"), roles: "operator admin" },
  { name: "read the policy", ask: (p) => p.get("/v1/policy"), roles: "operator admin auditor" },
  {
    name: "explain a plan",
    ask: (p) => p.post("/v1/policy/explain", { operation: "encrypt", key: "orders-1" }),
    roles: "operator admin",
  },
  {
    name: "validate a policy",
    ask: (p) => p.post("/v1/policy/validate", "providers: {}", { "content-type": "application/yaml" }),
    roles: "operator admin",
  },
  { name: "read the trail", ask: (p) => p.get("/v1/audit?limit=1"), roles: "operator admin auditor" },
  { name: "draw random bytes", ask: (p) => p.post("/v1/random", { bytes: 1 }), roles: "user operator admin" },
];

describe.for(["user", "operator", "admin", "auditor"])("the role %s", (role) => {
  let person: Person;
  beforeAll(async () => {
    person = await admin.hire(`a-${role}`, { role, allow: ["*"] });
  });

  it.for(ROUTES)("may or may not, as its row says: $name", async ({ ask, roles }) => {
    expect(outcome(await ask(person))).toBe(roles.split(" ").includes(role) ? "200" : DENIED);
  });
});

describe("what a client is allowed", () => {
  it("is operations on keys by their names, and nothing by itself", async () => {
    const reader = await admin.hire("reader", { keys: ["orders-*"], allow: ["decrypt"] });
    const ciphertext = await admin.seal("orders-1", "x");
    expect([await reader.open(ciphertext), await reader.tries("orders-1")]).toEqual(["x", DENIED]);
    expect(await reader.open(await admin.seal("invoices", "x"))).toBe(HIDDEN);
    const { items } = succeeded(await reader.get("/v1/keys")) as {
      readonly items: readonly { readonly name: string }[];
    };
    expect(items.map(({ name }) => name)).toEqual(["orders-1", "orders-2"]);
    const idle = await admin.hire("idle");
    expect([await idle.tries("orders-1"), await idle.open(ciphertext)]).toEqual([DENIED, DENIED]);
    const chief = await admin.hire("chief", { role: "admin" });
    expect([await chief.tries("orders-1"), await chief.open(ciphertext)]).toEqual([DENIED, DENIED]);
    expect(outcome(await chief.post("/v1/keys/orders-1/rotate?dryRun=true"))).toBe("200");
  });

  it("is no key by its alias where the name is another", async () => {
    await admin.make("secret", { aliases: ["orders-alias"] });
    const reader = await admin.hire("alias-reader", { keys: ["orders-*"], allow: ["*"] });
    expect(await reader.tries("orders-alias")).toBe(HIDDEN);
  });

  it("is reencryption without decryption, from keys and to keys on their own", async () => {
    const ciphertext = await admin.seal("orders-1", "moved");
    const move = async (person: Person, body: object = {}): Promise<string> =>
      outcome(await person.post("/v1/keys/orders-2/reencrypt", { ciphertext, ...body }));
    const mover = await admin.hire("mover", { allow: ["reencrypt-from", "reencrypt-to"] });
    expect([await move(mover), await mover.open(ciphertext)]).toEqual(["200", DENIED]);
    expect(await move(await admin.hire("from-only", { allow: ["reencrypt-from"] }))).toBe(DENIED);
    expect(await move(await admin.hire("to-only", { allow: ["reencrypt-to"] }))).toBe(DENIED);
    const opener = await admin.hire("opener", { allow: ["decrypt"] });
    expect(outcome(await opener.post("/v1/decrypt", { ciphertext }))).toBe("200");
    expect(outcome(await opener.post("/v1/decrypt", { ciphertext, upgrade: true }))).toBe(DENIED);
  });

  it("binds to a context that every request must give", async () => {
    const tenant = await admin.hire("tenant-a", { allow: ["*"], contextEquals: { tenant: "a" } });
    const ciphertext = await tenant.seal("orders-1", "mine", { context: { tenant: "a", row: "1" } });
    expect(await tenant.open(ciphertext, { context: { tenant: "a", row: "1" } })).toBe("mine");
    const theirs = await admin.seal("orders-1", "theirs", { context: { tenant: "b" } });
    expect(await tenant.open(theirs, { context: { tenant: "b" } })).toBe(DENIED);
    expect(await tenant.open(theirs, { context: { tenant: "a" } })).toBe("400 CIPHERTEXT_INVALID");
    for (const body of [{}, { context: {} }, { context: { tenant: "A" } }, { context: { other: "a" } }])
      expect(await tenant.tries("orders-1", body)).toBe(DENIED);
    const escape = { ciphertext, context: { tenant: "a", row: "1" }, newContext: { tenant: "b" } };
    expect(outcome(await tenant.post("/v1/keys/orders-2/reencrypt", escape))).toBe(DENIED);
    const inward = { ciphertext: theirs, context: { tenant: "b" }, newContext: { tenant: "a" } };
    expect(outcome(await tenant.post("/v1/keys/orders-2/reencrypt", inward))).toBe(DENIED);
    const items = [
      { plaintext: "", context: { tenant: "a" } },
      { plaintext: "", context: { tenant: "b" } },
    ];
    const batch = await tenant.post("/v1/keys/orders-1/encrypt", { items });
    expect([batch.status, batch.json["items"]]).toMatchObject([207, [{}, { error: { code: "PERMISSION_DENIED" } }]]);
  });

  it("ends with its time, and with its credential", async () => {
    const past = "2020-01-01T00:00:00Z";
    const late = await admin.hire("late", { allow: ["*"], expireTime: past });
    expect(await late.tries("orders-1")).toBe("401 UNAUTHENTICATED");
    const made = succeeded(await admin.post("/v1/clients/idle/credentials", { kind: "api-key", expireTime: past }));
    const expired = new Person(gateway, { apiKey: String(made["secret"]) });
    expect(outcome(await expired.get("/v1/keys"))).toBe("401 UNAUTHENTICATED");
    const credential = succeeded(await admin.post("/v1/clients/idle/credentials", { kind: "api-key" }));
    const user = new Person(gateway, { apiKey: String(credential["secret"]) });
    expect(outcome(await user.get("/v1/keys"))).toBe("200");
    const path = `/v1/clients/idle/credentials/${String(credential["id"])}/revoke`;
    expect(succeeded(await admin.post(path))["state"]).toBe("revoked");
    expect(outcome(await user.get("/v1/keys"))).toBe("401 UNAUTHENTICATED");
    expect(outcome(await admin.post(path))).toBe("200");
    const { json } = await admin.get("/v1/clients/idle");
    const states = (json["credentials"] as readonly { readonly state: string }[]).map(({ state }) => state);
    expect(states).toEqual(["active", "expired", "revoked"]);
  });
});

describe("a namespace", () => {
  let payments: Person;
  let cashier: Person;
  let ours: string;
  let theirs: string;
  let theirId: string;
  beforeAll(async () => {
    succeeded(await admin.post("/v1/namespaces", { name: "payments" }));
    payments = new Person(gateway, { namespace: "payments" });
    cashier = await payments.hire("cashier", { allow: ["*"] });
    await payments.make("orders-1");
    await payments.make("card", { aliases: ["visa"] });
    ours = await cashier.seal("orders-1", "ours");
    theirs = await admin.seal("orders-1", "theirs");
    theirId = String((await admin.get("/v1/keys/orders-1")).json["id"]);
  });

  it("has names and keys of its own", async () => {
    expect(await cashier.open(ours)).toBe("ours");
    expect((await cashier.get("/v1/keys/orders-1")).json["namespace"]).toBe("payments");
    expect((await admin.get("/v1/keys/orders-1")).json["namespace"]).toBe("default");
    const { items } = succeeded(await cashier.get("/v1/keys")) as {
      readonly items: readonly { readonly name: string }[];
    };
    expect(items.map(({ name }) => name)).toEqual(["orders-1", "card"]);
    expect(outcome(await cashier.post("/v1/keys/orders-1/decrypt", { ciphertext: theirs }))).toBe(
      "400 CIPHERTEXT_INVALID",
    );
  });

  it("shows a stranger the same as nothing, byte for byte", async () => {
    const same = { "x-request-id": "same" };
    const missing = "key_00000000-0000-7000-8000-000000000000";
    const texts = async (id: string): Promise<readonly string[]> => {
      const answers = [
        await cashier.get(`/v1/keys/${id}`, same),
        await cashier.get(`/v1/keys/${id}/history`, same),
        await cashier.get(`/v1/keys/${id}/versions/1`, same),
        await cashier.post(`/v1/keys/${id}/encrypt`, { plaintext: "" }, same),
        await cashier.post(`/v1/keys/${id}/suspend`, { reason: "hold" }, same),
        await cashier.patch(`/v1/keys/${id}`, { owner: "x" }, same),
        await cashier.post("/v1/keys/orders-1/reencrypt", { ciphertext: ours, sourceKey: id }, same),
      ];
      expect(answers.map((answer) => outcome(answer))).toEqual(answers.map(() => HIDDEN));
      return answers.map(({ text }) => text);
    };
    const hidden = await texts(theirId);
    expect(hidden).toEqual(await texts(missing));
    expect(hidden).toEqual(await texts("invoices"));
    expect(await cashier.open(theirs)).toBe(HIDDEN);
    expect(outcome(await cashier.get("/v1/keys/visa"))).toBe("200");
  });

  it("is not left by naming another", async () => {
    const names = { "claviger-namespace": "default" };
    expect(outcome(await cashier.get("/v1/keys/invoices", names))).toBe(HIDDEN);
    expect(outcome(await cashier.post("/v1/keys/invoices/encrypt", { plaintext: "" }, names))).toBe(HIDDEN);
    expect((await cashier.get("/v1/keys", names)).json["items"]).toEqual([]);
    expect(await payments.tries("card")).toBe(DENIED); // who manages a namespace uses none of its keys
    for (const namespace of ["system", "nowhere"]) {
      const stranger = new Person(gateway, { namespace });
      expect(outcome(await stranger.post("/v1/keys", { name: "x" }))).toBe("404 NOT_FOUND");
      expect(outcome(await stranger.post("/v1/clients", { name: "x" }))).toBe("404 NOT_FOUND");
    }
    expect((await new Person(gateway, { namespace: "system" }).get("/v1/keys/root")).status).toBe(404);
  });

  it("with dual control lets nobody undo what he stopped himself", async () => {
    const resume = async (): Promise<string> => outcome(await payments.post("/v1/keys/card/resume", { reason: "x" }));
    succeeded(await payments.post("/v1/keys/card/suspend", { reason: "replacement" }));
    expect(await resume()).toBe("403 SEPARATION_OF_DUTIES");
    // an API key inherits the person of its maker
    const helper = await payments.hire("helper", { role: "admin" });
    expect(outcome(await helper.post("/v1/keys/card/resume", { reason: "x" }))).toBe("403 SEPARATION_OF_DUTIES");
    succeeded(await payments.post("/v1/keys/card/suspend", { reason: "hold" }));
    expect(await resume()).toBe("403 SEPARATION_OF_DUTIES");
    expect((await payments.get("/v1/keys/card")).json).toMatchObject({ state: "suspended", stateReason: "hold" });
    expect(outcome(await payments.post("/v1/keys/card/compromise", { reason: "x" }))).toBe("200");
  });

  it("with manual activation gives keys that do nothing yet", async () => {
    succeeded(await admin.post("/v1/namespaces", { name: "careful", dualControl: false, activation: "manual" }));
    const careful = new Person(gateway, { namespace: "careful" });
    expect(await careful.make("slow")).toMatchObject({ state: "generated" });
    const user = await careful.hire("careful-user", { allow: ["*"] });
    expect(await user.tries("slow")).toBe("409 KEY_NOT_ACTIVE");
    succeeded(await careful.post("/v1/keys/slow/activate"));
    expect(await user.tries("slow")).toBe("200");
    succeeded(await careful.post("/v1/keys/slow/suspend", { reason: "hold" }));
    expect(outcome(await careful.post("/v1/keys/slow/resume", { reason: "x" }))).toBe("200");
  });
});
