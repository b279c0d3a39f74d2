import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Gateway } from "./live-gateway.ts";
import { fromBase64, outcome, Person, succeeded, toBase64 } from "./person.ts";

const CONFIG = `
providers:
  hsm-a: { kind: local-hsm, failureDomain: rack-a }
  hsm-b: { kind: local-hsm, failureDomain: rack-b }
routes:
  - { name: eu, match: { labels: { residency: eu } }, place: { holders: [hsm-b], minimum: 1 } }
  - { name: default, place: { holders: all, minimum: 2 } }
`;
const NOT_ACTIVE = "409 KEY_NOT_ACTIVE";
const ILLEGAL = "409 ILLEGAL_TRANSITION";

let gateway: Gateway;
let admin: Person;
beforeAll(async () => {
  gateway = await Gateway.start({ config: CONFIG });
  admin = new Person(gateway);
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
}, 30_000);

async function act(key: string, verb: string, body: object = {}): Promise<string> {
  return outcome(await admin.post(`/v1/keys/${key}/${verb}`, body));
}

async function read(key: string): Promise<Readonly<Record<string, unknown>>> {
  return succeeded(await admin.get(`/v1/keys/${key}`));
}

describe("a key that is suspended", () => {
  it("encrypts and decrypts nothing from then on, and both once it is resumed", async () => {
    await admin.make("held");
    const ciphertext = await admin.seal("held", "before");
    expect(succeeded(await admin.post("/v1/keys/held/suspend", { reason: "hold" }))).toMatchObject({
      state: "suspended",
      stateReason: "hold",
      processing: "deny",
      generation: 2,
      unconfirmed: [],
    });
    expect([await admin.tries("held"), await admin.open(ciphertext)]).toEqual([NOT_ACTIVE, NOT_ACTIVE]);
    expect(await act("held", "generate-data-key")).toBe(NOT_ACTIVE);
    expect(succeeded(await admin.post("/v1/keys/held/resume", { reason: "false alarm" }))).toMatchObject({
      state: "active",
      stateReason: null,
      processing: null,
      generation: 3,
    });
    expect([await admin.tries("held"), await admin.open(ciphertext)]).toEqual(["200", "before"]);
  });

  it("opens what exists where the reason is no suspicion, or where that is said", async () => {
    await admin.make("replaced");
    const ciphertext = await admin.seal("replaced", "before");
    expect(await act("replaced", "suspend", { reason: "replacement" })).toBe("200");
    expect([await admin.tries("replaced"), await admin.open(ciphertext)]).toEqual([NOT_ACTIVE, "before"]);
    expect(await act("replaced", "suspend", { reason: "compromise-suspected" })).toBe("200");
    expect(await admin.open(ciphertext)).toBe(NOT_ACTIVE);
    // another reason allows no more than before
    expect(await act("replaced", "suspend", { reason: "distribution" })).toBe("200");
    expect(await admin.open(ciphertext)).toBe(NOT_ACTIVE);
    expect(await act("replaced", "suspend", { reason: "distribution", processing: "allow" })).toBe(ILLEGAL);
  });

  it("stays as it is when it is there already", async () => {
    await admin.make("twice");
    await act("twice", "suspend", { reason: "hold" });
    expect(succeeded(await admin.post("/v1/keys/twice/suspend", { reason: "hold" }))["generation"]).toBe(2);
    await act("twice", "resume", { reason: "x" });
    expect(succeeded(await admin.post("/v1/keys/twice/resume", { reason: "x" }))["generation"]).toBe(3);
  });
});

describe("a key that is rotated", () => {
  let old: string;
  beforeAll(async () => {
    await admin.make("rotated");
    old = await admin.seal("rotated", "old");
    expect(succeeded(await admin.post("/v1/keys/rotated/rotate"))).toMatchObject({
      primaryVersion: 2,
      latestVersion: 2,
      pendingVersion: null,
    });
  });

  it("opens what the old version sealed, and says that it is stale", async () => {
    const opened = succeeded(await admin.post("/v1/keys/rotated/decrypt", { ciphertext: old }));
    expect(opened).toMatchObject({ plaintext: toBase64("old"), keyVersion: 1, stale: true, provider: "gateway" });
    const fresh = await admin.seal("rotated", "new");
    expect(succeeded(await admin.post("/v1/decrypt", { ciphertext: fresh }))).toMatchObject({
      keyVersion: 2,
      stale: false,
    });
  });

  it("gives a fresh ciphertext to whoever asks for an upgrade", async () => {
    const opened = succeeded(await admin.post("/v1/decrypt", { ciphertext: old, upgrade: true }));
    const { ciphertext, keyVersion } = opened["upgraded"] as {
      readonly ciphertext: string;
      readonly keyVersion: number;
    };
    expect([opened["keyVersion"], keyVersion]).toEqual([1, 2]);
    expect(succeeded(await admin.post("/v1/decrypt", { ciphertext }))).toMatchObject({
      plaintext: toBase64("old"),
      stale: false,
    });
  });

  it("protects with its primary version alone, and opens with the version that is named", async () => {
    expect(await admin.tries("rotated@1")).toBe("409 VERSION_NOT_USABLE");
    expect(await admin.tries("rotated@2")).toBe("200");
    expect(await act("rotated@1", "decrypt", { ciphertext: old })).toBe("200");
    expect(await act("rotated@2", "decrypt", { ciphertext: old })).toBe("400 CIPHERTEXT_INVALID");
    expect(await admin.tries("rotated@3")).toBe("404 KEY_NOT_FOUND");
    expect(await admin.tries("rotated@0")).toBe("404 KEY_NOT_FOUND");
    expect(await act("rotated@1", "suspend", { reason: "hold" })).toBe("400 INVALID_ARGUMENT");
  });

  it("may publish its next version before using it", async () => {
    await admin.make("published");
    expect(succeeded(await admin.post("/v1/keys/published/rotate", { prepublishSeconds: 3600 }))).toMatchObject({
      primaryVersion: 1,
      pendingVersion: 2,
      latestVersion: 2,
    });
    const sealed = succeeded(await admin.post("/v1/keys/published/encrypt", { plaintext: "" }));
    expect(sealed["keyVersion"]).toBe(1);
    expect(await act("published", "rotate")).toBe(ILLEGAL);
    const { json } = await admin.get("/v1/keys/published/versions");
    expect((json["items"] as readonly { readonly role: string }[]).map(({ role }) => role)).toEqual([
      "primary",
      "pending",
    ]);
  });

  it("is not while it is suspended", async () => {
    await admin.make("stopped");
    await act("stopped", "suspend", { reason: "rotation" });
    expect(await act("stopped", "rotate")).toBe(ILLEGAL);
  });
});

describe("a ciphertext that is reencrypted", () => {
  let ciphertext: string;
  const reencrypt = async (to: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await admin.post(`/v1/keys/${to}/reencrypt`, { ciphertext, ...body });
    return { ...answer.json, status: outcome(answer) };
  };
  beforeAll(async () => {
    for (const name of ["from", "to"]) await admin.make(name);
    ciphertext = await admin.seal("from", "moved", { context: { tenant: "a" } });
  });

  it("comes to stand under the other key, without its plaintext in the answer", async () => {
    const moved = await reencrypt("to", { context: { tenant: "a" } });
    expect(moved).toMatchObject({ status: "200", changed: true, sourceKeyVersion: 1, keyVersion: 1 });
    expect(moved["sourceKeyId"]).toBe((await read("from"))["id"]);
    expect(moved["keyId"]).toBe((await read("to"))["id"]);
    expect(JSON.stringify(moved)).not.toContain(toBase64("moved"));
    expect(await admin.open(String(moved["ciphertext"]), { context: { tenant: "a" } })).toBe("moved");
  });

  it("stays where it is under the primary version of its own key", async () => {
    const stayed = await reencrypt("from", { context: { tenant: "a" } });
    expect(stayed).toMatchObject({ status: "200", changed: false, ciphertext });
    const bound = await reencrypt("from", { context: { tenant: "a" }, newContext: { tenant: "b" } });
    expect(bound).toMatchObject({ status: "200", changed: true });
    expect(await admin.open(String(bound["ciphertext"]), { context: { tenant: "a" } })).toBe("400 CIPHERTEXT_INVALID");
    expect(await admin.open(String(bound["ciphertext"]), { context: { tenant: "b" } })).toBe("moved");
  });

  it("is refused in another context, from another source key, and towards a key that protects nothing", async () => {
    expect((await reencrypt("to"))["status"]).toBe("400 CIPHERTEXT_INVALID");
    expect((await reencrypt("to", { context: { tenant: "a" }, sourceKey: "to" }))["status"]).toBe(
      "400 CIPHERTEXT_INVALID",
    );
    await admin.make("to-suspended");
    await act("to-suspended", "suspend", { reason: "replacement" });
    expect((await reencrypt("to-suspended", { context: { tenant: "a" } }))["status"]).toBe(NOT_ACTIVE);
  });
});

describe("a key that ends", () => {
  it("opens and protects no more once it is deactivated", async () => {
    await admin.make("ended");
    const ciphertext = await admin.seal("ended", "kept");
    expect(await act("ended", "deactivate", { reason: "superseded" })).toBe("200");
    expect([await admin.tries("ended"), await admin.open(ciphertext)]).toEqual([NOT_ACTIVE, "kept"]);
    expect(await act("ended", "resume", { reason: "x" })).toBe(ILLEGAL);
    expect(await act("ended", "activate")).toBe(ILLEGAL);
    expect(await act("ended", "suspend", { reason: "hold" })).toBe(ILLEGAL);
  });

  it("does nothing more once it is compromised, for good", async () => {
    await admin.make("leaked");
    const ciphertext = await admin.seal("leaked", "lost");
    const occurrenceTime = "2020-01-01T00:00:00Z";
    expect(await act("leaked", "compromise", { reason: "a backup was lost", occurrenceTime })).toBe("200");
    expect([await admin.tries("leaked"), await admin.open(ciphertext)]).toEqual([NOT_ACTIVE, NOT_ACTIVE]);
    const { generation } = await read("leaked");
    expect(await act("leaked", "compromise", { reason: "again" })).toBe("200");
    expect((await read("leaked"))["generation"]).toBe(generation);
    for (const [verb, body] of [
      ["resume", { reason: "x" }],
      ["suspend", { reason: "hold" }],
      ["deactivate", { reason: "revoked" }],
      ["rotate", {}],
    ] as const)
      expect(await act("leaked", verb, body), verb).toBe(ILLEGAL);
  });

  it("was never born where it is not activated", async () => {
    expect(await admin.make("unborn", { activate: false })).toMatchObject({ state: "generated", primaryVersion: null });
    expect(await admin.tries("unborn")).toBe(NOT_ACTIVE);
    expect(succeeded(await admin.post("/v1/keys/unborn/activate"))).toMatchObject({
      state: "active",
      primaryVersion: 1,
    });
    expect(await admin.tries("unborn")).toBe("200");
  });

  it("follows its dates without anybody's doing", async () => {
    await admin.make("dated");
    const ciphertext = await admin.seal("dated", "kept");
    const past = "2020-01-01T00:00:00+01:00";
    const later = new Date(Date.now() + 86_400_000).toISOString();
    expect(succeeded(await admin.patch("/v1/keys/dated", { protectStopTime: past }))).toMatchObject({
      state: "active",
      protectStopTime: "2019-12-31T23:00:00.000Z",
    });
    expect([await admin.tries("dated"), await admin.open(ciphertext)]).toEqual([NOT_ACTIVE, "kept"]);
    expect(outcome(await admin.patch("/v1/keys/dated", { protectStopTime: later }))).toBe(ILLEGAL);
    expect(succeeded(await admin.patch("/v1/keys/dated", { deactivateTime: past }))).toMatchObject({
      state: "deactivated",
      stateReason: "expired",
    });
    expect(await admin.make("early", { activateTime: later })).toMatchObject({ state: "generated" });
    expect(await admin.tries("early")).toBe(NOT_ACTIVE);
  });
});

describe("a change that is asked for under a condition", () => {
  it("is made where If-Match has the generation, and else is not", async () => {
    const { headers, json } = await admin.post("/v1/keys", { name: "matched" });
    expect([headers["etag"], headers["location"]]).toEqual(['"1"', `/v1/keys/${String(json["id"])}`]);
    const suspend = async (match: string): Promise<string> =>
      outcome(await admin.post("/v1/keys/matched/suspend", { reason: "hold" }, { "if-match": match }));
    expect(await suspend('"2"')).toBe("412 GENERATION_MISMATCH");
    expect(await suspend('"1"')).toBe("200");
    const { headers: read_ } = await admin.get("/v1/keys/matched");
    expect(read_["etag"]).toBe('"2"');
    const patch = await admin.patch("/v1/keys/matched", { owner: "x" }, { "if-match": '"1"' });
    expect(outcome(patch)).toBe("412 GENERATION_MISMATCH");
  });

  it("is made once for one Idempotency-Key, and answered as it is now", async () => {
    const once = { "idempotency-key": "rotate-once" };
    await admin.make("once");
    const first = await admin.post("/v1/keys/once/rotate", {}, once);
    expect([first.status, first.headers["idempotent-replayed"]]).toEqual([200, undefined]);
    await act("once", "suspend", { reason: "hold" });
    const again = await admin.post("/v1/keys/once/rotate", {}, once);
    expect([again.status, again.headers["idempotent-replayed"]]).toEqual([200, "true"]);
    expect(again.json).toMatchObject({ latestVersion: 2, state: "suspended" });
    expect(outcome(await admin.post("/v1/keys/once/rotate", { reason: "other" }, once))).toBe(
      "422 IDEMPOTENCY_KEY_REUSED",
    );
    expect(outcome(await admin.post("/v1/keys/once/resume", { reason: "x" }, once))).toBe("422 IDEMPOTENCY_KEY_REUSED");
  });

  it.for([
    { path: "/v1/keys", body: { name: "idem-key" }, other: { name: "idem-other" }, status: 201 },
    { path: "/v1/namespaces", body: { name: "idem-space" }, other: { name: "idem-other" }, status: 201 },
    { path: "/v1/clients", body: { name: "idem-client" }, other: { name: "idem-other" }, status: 201 },
    {
      path: "/v1/clients/idem-client/credentials",
      body: { kind: "api-key" },
      other: { kind: "api-key", expireTime: null },
      status: 201,
    },
    { path: "/v1/providers/hsm-a/drain", body: { reason: "x" }, other: { reason: "y" }, status: 200 },
    { path: "/v1/providers/hsm-a/restore", body: {}, other: { share: 0.5 }, status: 200 },
    { path: "/v1/providers/hsm-a/probe", body: {}, other: undefined, status: 200 },
  ])("is made once, and never for another body: $path", async ({ path, body, other, status }) => {
    const headers = { "idempotency-key": `once ${path}` };
    const first = await admin.post(path, body, headers);
    const again = await admin.post(path, body, headers);
    expect([first.status, first.headers["idempotent-replayed"]]).toEqual([status, undefined]);
    expect([again.status, again.headers["idempotent-replayed"]]).toEqual([status, "true"]);
    expect(again.json["secret"]).toBeUndefined(); // never shown again
    expect(again.json["id"]).toBe(first.json["id"]);
    if (other !== undefined) expect(outcome(await admin.post(path, other, headers))).toBe("422 IDEMPOTENCY_KEY_REUSED");
  });

  it("changes nothing as a dry run, and leaves the Idempotency-Key for the real one", async () => {
    const headers = { "idempotency-key": "dry" };
    await admin.make("dry");
    const wouldBe = await admin.post("/v1/keys/dry/suspend?dryRun=true", { reason: "hold" }, headers);
    expect([wouldBe.status, wouldBe.json["state"], wouldBe.json["generation"]]).toEqual([200, "suspended", 2]);
    expect(await read("dry")).toMatchObject({ state: "active", generation: 1 });
    const real = await admin.post("/v1/keys/dry/suspend", { reason: "hold" }, headers);
    expect([real.status, real.headers["idempotent-replayed"]]).toEqual([200, undefined]);
    expect(outcome(await admin.post("/v1/keys/dry/rotate?dryRun=true"))).toBe(ILLEGAL);
    expect(outcome(await admin.post("/v1/keys?dryRun=true", { name: "dry" }))).toBe("409 NAME_TAKEN");
    expect((await admin.post("/v1/clients?dryRun=true", { name: "ghost" })).status).toBe(200);
    expect(outcome(await admin.get("/v1/clients/ghost"))).toBe("404 NOT_FOUND");
    expect((await admin.post("/v1/providers/hsm-b/drain?dryRun=true", { reason: "x" })).status).toBe(200);
    expect((await admin.get("/v1/providers/hsm-b")).json["status"]).toBe("up");
  });
});

describe("the words about a key", () => {
  it("change, but for a label that a route names and for what a key is", async () => {
    const made = await admin.make("labelled", { labels: { residency: "eu", team: "a" }, attributes: { x: "1" } });
    expect(made).toMatchObject({ route: "eu", custody: { holders: ["hsm-b"], minimum: 1 } });
    const path = "/v1/keys/labelled";
    expect(succeeded(await admin.patch(path, { labels: { team: "b", tier: "1" }, owner: "me" }))).toMatchObject({
      labels: { residency: "eu", team: "b", tier: "1" },
      attributes: { x: "1" },
      owner: "me",
    });
    expect(succeeded(await admin.patch(path, { labels: { team: null }, attributes: null }))).toMatchObject({
      labels: { residency: "eu", tier: "1" },
      attributes: {},
    });
    for (const labels of [{ residency: "us" }, { residency: null }, null]) {
      const refused = await admin.patch(path, { labels });
      expect([outcome(refused), (refused.json["errors"] as readonly object[])[0]]).toEqual([
        "422 IMMUTABLE_FIELD",
        expect.objectContaining({ pointer: "/labels/residency" }),
      ]);
    }
    await admin.make("unlabelled");
    expect(outcome(await admin.patch("/v1/keys/unlabelled", { labels: { residency: "eu" } }))).toBe(
      "422 IMMUTABLE_FIELD",
    );
    for (const body of [{ purpose: "encrypt" }, { name: "other" }, { custody: { kind: "portable" } }])
      expect(outcome(await admin.patch(path, body))).toBe("422 IMMUTABLE_FIELD");
  });

  it("are told by its history, each change with who, why and by which request", async () => {
    await admin.make("told");
    await admin.post("/v1/keys/told/suspend", { reason: "hold", detail: "seen in a log", ticket: "INC-1" });
    await admin.post("/v1/keys/told/resume", { reason: "false alarm" }, { "x-request-id": "resume-1" });
    await admin.post("/v1/keys/told/rotate");
    await admin.patch("/v1/keys/told", { owner: "me" });
    const { items } = succeeded(await admin.get("/v1/keys/told/history")) as { readonly items: readonly object[] };
    expect(items).toMatchObject([
      { generation: 1, action: "create", from: null, to: "active", actor: "admin" },
      { generation: 2, action: "suspend", from: "active", to: "suspended", reason: "hold", ticket: "INC-1" },
      { generation: 3, action: "resume", to: "active", reason: "false alarm", requestId: "resume-1" },
      { generation: 4, action: "rotate", from: "active", to: "active" },
      { generation: 5, action: "update" },
    ]);
    expect(items[1]).toMatchObject({ detail: "seen in a log" });
  });
});

describe("an alias", () => {
  it("names its key wherever the name does, and moves to another in one step", async () => {
    await admin.make("first", { aliases: ["current", "app/main"] });
    await admin.make("second");
    const ciphertext = await admin.seal("app%2Fmain", "by alias");
    expect(await admin.open(ciphertext)).toBe("by alias");
    expect((await read("current"))["name"]).toBe("first");
    expect(outcome(await admin.post("/v1/keys", { name: "current" }))).toBe("409 NAME_TAKEN");
    expect(outcome(await admin.patch("/v1/keys/second", { aliases: ["current"] }))).toBe("409 NAME_TAKEN");
    expect(outcome(await admin.post("/v1/aliases/current/move", { from: "second", to: "first" }))).toBe("200");
    const move = async (alias: string, from: string, to: string): Promise<string> =>
      outcome(await admin.post(`/v1/aliases/${alias}/move`, { from, to }));
    expect(await move("current", "first", "second")).toBe("200");
    expect((await read("current"))["name"]).toBe("second");
    expect((await read("first"))["aliases"]).toEqual(["app/main"]);
    expect(await move("current", "first", "second")).toBe("200"); // it is there already
    expect(await move("app%2Fmain", "first", "second")).toBe("200");
    expect(await move("nothing", "first", "second")).toBe("404 KEY_NOT_FOUND");
    expect(succeeded(await admin.patch("/v1/keys/second", { aliases: [] }))["aliases"]).toEqual([]);
    expect(outcome(await admin.get("/v1/keys/current"))).toBe("404 KEY_NOT_FOUND");
    expect(outcome(await admin.patch("/v1/keys/second", { aliases: ["second"] }))).toBe("400 INVALID_ARGUMENT");
  });
});

describe("the list of keys", () => {
  const list = async (query: string): Promise<{ readonly names: readonly string[]; readonly next: string | null }> => {
    const { items, nextCursor } = succeeded(await admin.get(`/v1/keys?${query}`)) as {
      readonly items: readonly { readonly name: string }[];
      readonly nextCursor: string | null;
    };
    return { names: items.map(({ name }) => name), next: nextCursor };
  };
  beforeAll(async () => {
    for (let n = 1; n <= 5; n += 1) await admin.make(`listed-${n}`, { labels: { list: "yes", odd: String(n % 2) } });
    await admin.make("listed-eu", { labels: { list: "yes", residency: "eu" } });
    await act("listed-2", "suspend", { reason: "hold" });
  });

  it("comes in pages, in the order of creation, stable while keys are added", async () => {
    const first = await list("label.list=yes&limit=2");
    expect(first.names).toEqual(["listed-1", "listed-2"]);
    await admin.make("listed-late", { labels: { list: "yes" } });
    const second = await list(`label.list=yes&limit=4&cursor=${first.next}`);
    expect(second.names).toEqual(["listed-3", "listed-4", "listed-5", "listed-eu"]);
    const third = await list(`label.list=yes&limit=4&cursor=${second.next}`);
    expect(third).toEqual({ names: ["listed-late"], next: null });
  });

  it("is filtered by what a key is, has and where it lies", async () => {
    expect((await list("label.list=yes&label.odd=0")).names).toEqual(["listed-2", "listed-4"]);
    expect((await list("label.list=yes&state=suspended")).names).toEqual(["listed-2"]);
    expect((await list("label.list=yes&servedOnlyBy=hsm-b")).names).toEqual(["listed-eu"]);
    expect((await list("label.list=yes&provider=hsm-a")).names).not.toContain("listed-eu");
    expect((await list("label.list=yes&purpose=encrypt&custody=portable&label.odd=1")).names).toHaveLength(3);
    expect((await list("label.list=yes&purpose=sign")).names).toEqual([]);
    expect((await list("label.list=yes&custody=native")).names).toEqual([]);
  });

  it("refuses what it does not know, and a cursor of another list", async () => {
    const { next } = await list("label.list=yes&limit=1");
    for (const query of [`cursor=${next}`, `label.list=no&cursor=${next}`, "cursor=x", "colour=red", "state=dead"])
      expect(outcome(await admin.get(`/v1/keys?${query}`)), query).toBe("400 INVALID_ARGUMENT");
  });
});

describe("many at once", () => {
  it("are answered in their order, each with its own failure, and 207", async () => {
    await admin.make("batch");
    const good = await admin.seal("batch", "one", { context: { n: "1" } });
    const items = [{ ciphertext: good, context: { n: "1" } }, { ciphertext: good }, { ciphertext: "clv1.AAAA" }];
    const { status, json } = await admin.post("/v1/keys/batch/decrypt", { items });
    expect([status, json["failed"]]).toEqual([207, 2]);
    const [first, second, third] = json["items"] as readonly Readonly<Record<string, unknown>>[];
    expect(fromBase64(first?.["plaintext"])).toBe("one");
    const error = { code: "CIPHERTEXT_INVALID", status: 400, retry: "never" };
    expect([second, third]).toEqual([
      { error: expect.objectContaining(error) },
      { error: expect.objectContaining(error) },
    ]);
    const all = await admin.post("/v1/keys/batch/encrypt", { items: [{ plaintext: "" }, { plaintext: "eA==" }] });
    expect([all.status, all.json["failed"]]).toEqual([200, 0]);
  });

  it("are reencrypted and given data keys in the same manner", async () => {
    await admin.make("batch-to");
    const ciphertexts = [await admin.seal("batch", "a"), await admin.seal("batch-to", "b")];
    const moved = await admin.post("/v1/keys/batch-to/reencrypt", {
      items: [...ciphertexts, "clv1.AAAA"].map((ciphertext) => ({ ciphertext })),
    });
    expect([moved.status, moved.json["failed"]]).toEqual([207, 1]);
    expect(moved.json["items"]).toMatchObject([{ changed: true }, { changed: false }, { error: {} }]);
    const keys = await admin.post("/v1/keys/batch/generate-data-key", {
      items: [{}, { bytes: 16, withPlaintext: false }],
    });
    const [long, short] = keys.json["items"] as readonly Readonly<Record<string, string>>[];
    expect(Buffer.from(String(long?.["plaintext"]), "base64")).toHaveLength(32);
    expect(short?.["plaintext"]).toBeUndefined();
    expect(Buffer.from(await admin.open(String(short?.["ciphertext"])), "utf8").length).toBeGreaterThan(0);
  });

  it("are refused as a whole where the key may not be used, or where one has another shape", async () => {
    await admin.make("batch-stopped");
    await act("batch-stopped", "suspend", { reason: "hold" });
    const encrypt = async (key: string, body: object): Promise<string> => await act(key, "encrypt", body);
    expect(await encrypt("batch-stopped", { items: [{ plaintext: "" }] })).toBe(NOT_ACTIVE);
    expect(await encrypt("batch", { items: [{ plaintext: "" }, { plaintext: "", colour: "red" }] })).toBe(
      "400 INVALID_ARGUMENT",
    );
    expect(await encrypt("batch", { items: [{ plaintext: "" }, {}] })).toBe("400 INVALID_ARGUMENT");
    expect(await encrypt("batch", { items: [] })).toBe("400 INVALID_ARGUMENT");
    expect(await encrypt("batch", { items: Array.from({ length: 1001 }, () => ({ plaintext: "" })) })).toBe(
      "400 INVALID_ARGUMENT",
    );
    const full = await admin.post("/v1/keys/batch/encrypt", {
      items: Array.from({ length: 1000 }, () => ({ plaintext: "" })),
    });
    expect([full.status, full.json["failed"]]).toEqual([200, 0]);
  });
});

describe("random bytes", () => {
  it("are as many as are asked for, and others every time", async () => {
    const draw = async (): Promise<Buffer> =>
      Buffer.from(String(succeeded(await admin.post("/v1/random", { bytes: 48 }))["bytes"]), "base64");
    const [one, two] = [await draw(), await draw()];
    expect([one.length, one.equals(two)]).toEqual([48, false]);
    expect(outcome(await admin.post("/v1/random", { bytes: 8, provider: "hsm-a" }))).toBe("200");
  });
});
