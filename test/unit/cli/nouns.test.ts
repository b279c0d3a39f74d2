import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Ran, run } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

let stub: Stub;
beforeAll(async () => {
  stub = await startStub();
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
});
beforeEach(() => {
  stub.answer({ body: { name: "x", id: "key_1", generation: 7, aliases: ["old"], items: [], nextCursor: null } });
});

const claviger = async (...argv: string[]): Promise<Ran> =>
  await run(argv, { environment: { CLAVIGER_ADDR: stub.address } });
const requests = (): readonly (readonly [string, unknown])[] =>
  stub.seen.map(({ method, url, body }) => [`${method} ${url}`, body === "" ? undefined : JSON.parse(body)]);

/** What is typed, and the one request that it makes. */
const ONE_REQUEST: readonly { typed: string; request: string; body?: object }[] = [
  { typed: "keys", request: "GET /v1/keys?limit=1000" },
  {
    typed: "keys list --state active --purpose mac --custody portable --provider p --served-only-by q --label a.b=c",
    request: "GET /v1/keys?limit=1000&state=active&purpose=mac&custody=portable&provider=p&servedOnlyBy=q&label.a.b=c",
  },
  { typed: "keys show a/b", request: "GET /v1/keys/a%2Fb" },
  { typed: "keys history k", request: "GET /v1/keys/k/history" },
  { typed: "keys versions k", request: "GET /v1/keys/k/versions" },
  { typed: "keys create k", request: "POST /v1/keys", body: { name: "k" } },
  {
    typed:
      "keys create k --purpose mac --algorithm HMAC-SHA-256 --label a=b --label c=d --alias x --alias y/z --custody portable --holders p,q " +
      "--minimum 2 --dedicated --description D --owner O --no-activate --rotate-days 30",
    request: "POST /v1/keys",
    body: {
      name: "k",
      purpose: "mac",
      algorithm: "HMAC-SHA-256",
      labels: { a: "b", c: "d" },
      aliases: ["x", "y/z"],
      custody: { kind: "portable", holders: ["p", "q"], minimum: 2, dedicated: true },
      description: "D",
      owner: "O",
      activate: false,
      rotation: { everyDays: 30 },
    },
  },
  {
    typed: "keys create k --minimum 1",
    request: "POST /v1/keys",
    body: { name: "k", custody: { kind: "portable", minimum: 1 } },
  },
  {
    typed:
      "keys update k --label a=b --label c- --contact m --contact n --rotate-days none --protect-stop-at 2027-01-31 --activate-at none",
    request: "PATCH /v1/keys/k",
    body: {
      labels: { a: "b", c: null },
      contacts: ["m", "n"],
      rotation: { everyDays: null },
      activateTime: null,
      protectStopTime: "2027-01-31T00:00:00.000Z",
    },
  },
  { typed: "keys activate k", request: "POST /v1/keys/k/activate", body: {} },
  {
    typed: "keys suspend k --reason hold --processing allow --detail D --ticket T",
    request: "POST /v1/keys/k/suspend",
    body: { reason: "hold", processing: "allow", detail: "D", ticket: "T" },
  },
  { typed: "keys resume k --reason R", request: "POST /v1/keys/k/resume", body: { reason: "R" } },
  { typed: "keys deactivate k --reason revoked", request: "POST /v1/keys/k/deactivate", body: { reason: "revoked" } },
  {
    typed: "keys compromise k --reason R --occurrence-time 2026-01-31T10:00:00+02:00",
    request: "POST /v1/keys/k/compromise",
    body: { reason: "R", occurrenceTime: "2026-01-31T10:00:00+02:00" },
  },
  {
    typed: "keys rotate k --prepublish-seconds 60",
    request: "POST /v1/keys/k/rotate",
    body: { prepublishSeconds: 60 },
  },
  { typed: "keys archive k", request: "POST /v1/keys/k/archive", body: {} },
  {
    typed: "keys destroy k --confirm-name k --window-days 7 --ticket T",
    request: "POST /v1/keys/k/destroy",
    body: { confirmName: "k", windowDays: 7, ticket: "T" },
  },
  { typed: "keys cancel-destroy k", request: "POST /v1/keys/k/cancel-destroy", body: {} },
  {
    typed: "keys create k --provider p",
    request: "POST /v1/keys",
    body: { name: "k", custody: { kind: "native", provider: "p" } },
  },
  { typed: "keys rotate k --dry-run", request: "POST /v1/keys/k/rotate?dryRun=true", body: {} },
  { typed: "providers", request: "GET /v1/providers" },
  { typed: "providers show p", request: "GET /v1/providers/p" },
  { typed: "providers probe p", request: "POST /v1/providers/p/probe", body: {} },
  { typed: "providers drain p --reason R", request: "POST /v1/providers/p/drain", body: { reason: "R" } },
  { typed: "providers restore p", request: "POST /v1/providers/p/restore", body: {} },
  { typed: "providers restore p --share 0.1", request: "POST /v1/providers/p/restore", body: { share: 0.1 } },
  { typed: "policy show", request: "GET /v1/policy" },
  {
    typed: "policy explain decrypt k --without p --without q,r --drained s --throttled t",
    request: "POST /v1/policy/explain",
    body: { operation: "decrypt", key: "k", assume: { down: ["p", "q", "r"], drained: ["s"], throttled: ["t"] } },
  },
  { typed: "audit", request: "GET /v1/audit?limit=1000" },
  { typed: "audit tail", request: "GET /v1/audit?limit=20" },
  {
    typed:
      "audit tail -n 5 --key key_1 --client c --operation o --outcome ok --since 2026-01-01 --until 2026-01-02T00:00:00Z",
    request:
      "GET /v1/audit?limit=5&key=key_1&client=c&operation=o&outcome=ok&since=2026-01-01T00%3A00%3A00.000Z&until=2026-01-02T00%3A00%3A00Z",
  },
  { typed: "clients", request: "GET /v1/clients" },
  { typed: "namespaces", request: "GET /v1/namespaces" },
  { typed: "namespaces create n", request: "POST /v1/namespaces", body: { name: "n", dualControl: true } },
  {
    typed: "namespaces create n --no-dual-control --approvers 2 --activation manual",
    request: "POST /v1/namespaces",
    body: { name: "n", dualControl: false, approvers: 2, activation: "manual" },
  },
];

describe("what is typed is what is asked", () => {
  it.for(ONE_REQUEST)("$typed", async ({ typed, request, body }) => {
    expect(await claviger(...typed.split(" "))).toMatchObject({ code: 0, stderr: "" });
    expect(requests()).toEqual([[request, body]]);
  });
});

/** What is mistyped is told without asking anybody. */
const MISTYPED: readonly string[] = [
  "",
  "kyes",
  "keys shwo",
  "keys list extra",
  "keys show",
  "keys show a b",
  "keys create k --purpose everything",
  "keys create k --algorithm ROT13",
  "keys create k --minimum two",
  "keys create k --holders a,,b",
  "keys create k --label novalue",
  "keys create k --label a=1 --label a=2",
  "keys update k",
  "keys update k --label x",
  "keys update k --protect-stop-at tomorrow",
  "keys update k --protect-stop-at 2027-02-31T00:00:00",
  "keys suspend k",
  "keys suspend k --reason boredom",
  "keys resume k",
  "keys deactivate k --reason expired",
  "providers drain p",
  "providers restore p --share 0",
  "providers restore p --share 1.1",
  "providers restore p --share -1",
  "audit tail -n x",
  "audit --since yesterday",
  "clients create c --role king",
  "clients create",
  "clients create c --from services.yaml",
  "clients create --from services.yaml --role user",
  "clients create c --out secrets",
  "clients rotate c --overlap soon",
  "clients rotate c --overlap 1h --revoke-old",
  "clients can c",
  "clients can c fly key",
  "reencrypt x",
  "open x",
  "encrypt k --format base64",
  "keys --output xml",
];

describe("what is mistyped ends with 2 and asks nobody", () => {
  it.for(MISTYPED)("claviger %s", async (typed) => {
    const { code, stdout } = await claviger(...typed.split(" ").filter((word) => word !== ""));
    expect([code, stdout, stub.seen]).toEqual([2, "", []]);
  });
});

describe("help and version", () => {
  it.for(["--help", "help", "keys --help", "help keys", "keys create -h"])(
    "%s is on stdout and ends with 0",
    async (typed) => {
      const ran = await claviger(...typed.split(" "));
      expect(ran).toMatchObject({ code: 0, stderr: "" });
      expect(ran.stdout).toMatch(/^Usage: npx claviger/u);
    },
  );

  it.for(["version", "--version", "-V"])("%s", async (typed) => {
    expect((await claviger(typed)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });
});

describe("aliases", () => {
  it("are added to what the key has, if nobody changed it meanwhile", async () => {
    expect(await claviger("keys", "alias", "add", "k", "app/new")).toMatchObject({ code: 0 });
    expect(requests()).toEqual([
      ["GET /v1/keys/k", undefined],
      ["PATCH /v1/keys/k", { aliases: ["old", "app/new"] }],
    ]);
    expect(stub.seen[1]?.headers["if-match"]).toBe('"7"');
  });

  it("are removed", async () => {
    await claviger("keys", "alias", "remove", "k", "old");
    expect(requests()[1]).toEqual(["PATCH /v1/keys/k", { aliases: [] }]);
    expect(await claviger("keys", "alias", "remove", "k", "unknown")).toMatchObject({ code: 1 });
  });

  it("are moved from the key that has them, in one step", async () => {
    await claviger("keys", "alias", "move", "app/x", "other");
    expect(requests()).toEqual([
      ["GET /v1/keys/app%2Fx", undefined],
      ["POST /v1/aliases/app%2Fx/move", { from: "key_1", to: "other" }],
    ]);
  });
});

describe("clients", () => {
  const CLIENT = {
    id: "cli_1",
    name: "app",
    credentials: [
      { id: "crd_1", state: "active" },
      { id: "crd_2", state: "revoked" },
      { id: "crd_3", state: "active" },
    ],
  };
  const SECRET = { id: "crd_9", kind: "api-key", secret: "clv_sk_new" };

  it("are created with what they may, and their key is shown once, alone on stdout", async () => {
    stub.answer({ status: 201, body: CLIENT }, { status: 201, body: SECRET });
    const typed =
      "clients create app --role user --keys a*,b* --allow encrypt,decrypt --allow sign --context-equals t=1 --expire 2027-01-31";
    const ran = await claviger(...typed.split(" "));
    expect(ran).toMatchObject({ code: 0, stdout: "clv_sk_new\n" });
    expect(ran.stderr).not.toContain("clv_sk_new");
    expect(requests()).toEqual([
      [
        "POST /v1/clients",
        {
          name: "app",
          role: "user",
          keys: ["a*", "b*"],
          allow: ["encrypt", "decrypt", "sign"],
          contextEquals: { t: "1" },
          expireTime: "2027-01-31T00:00:00.000Z",
        },
      ],
      ["POST /v1/clients/cli_1/credentials", { kind: "api-key" }],
    ]);
  });

  it("that may do nothing are told of on stderr", async () => {
    stub.answer({ status: 201, body: CLIENT }, { status: 201, body: SECRET });
    const ran = await claviger("clients", "create", "app");
    expect(ran).toMatchObject({
      stdout: "clv_sk_new\n",
      stderr: expect.stringContaining("app may do nothing with any key") as string,
    });
  });

  it("without a credential are told of, and how to go on", async () => {
    stub.answer(
      { status: 201, body: CLIENT },
      { status: 503, body: { code: "AUDIT_UNAVAILABLE", title: "t", detail: "d", retry: "later" } },
    );
    const ran = await claviger("clients", "create", "app", "--allow", "encrypt");
    expect(ran).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("npx claviger clients rotate app --revoke-old") as string,
    });
  });

  it("whose secret was lost on the way are told of", async () => {
    stub.answer({ status: 201, body: CLIENT }, "break", { status: 201, body: { id: "crd_9" } });
    const ran = await claviger("clients", "create", "app", "--allow", "encrypt");
    expect(ran).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("rotate app --revoke-old") as string,
    });
  });

  it("that are only tried get no credential", async () => {
    await claviger("clients", "create", "app", "--dry-run");
    expect(requests().map(([request]) => request)).toEqual(["POST /v1/clients?dryRun=true"]);
  });

  it.for([
    { typed: "", overlapSeconds: 86_400, told: "end in 24 h" },
    { typed: "--overlap 90m", overlapSeconds: 5400, told: "end in 5400 s" },
    { typed: "--overlap 0", overlapSeconds: 0, told: "have ended" },
  ])("get another key; those before end after an overlap: $typed", async ({ typed, overlapSeconds, told }) => {
    stub.answer(
      { body: { ...CLIENT, credentials: [{ id: "crd_1", kind: "api-key", state: "active" }] } },
      { body: SECRET },
    );
    const ran = await claviger("clients", "rotate", "app", ...typed.split(" ").filter((word) => word !== ""));
    expect(ran).toMatchObject({ code: 0, stdout: "clv_sk_new\n", stderr: expect.stringContaining(told) as string });
    expect(requests().at(-1)).toEqual(["POST /v1/clients/app/credentials", { kind: "api-key", overlapSeconds }]);
  });

  it("get another key at once where those before are to be revoked", async () => {
    stub.answer({ body: CLIENT }, { body: SECRET }, { body: {} });
    await claviger("clients", "rotate", "app", "--revoke-old");
    expect(
      requests()
        .map(([request]) => request)
        .slice(2),
    ).toEqual(["POST /v1/clients/cli_1/credentials/crd_1/revoke", "POST /v1/clients/cli_1/credentials/crd_3/revoke"]);
  });

  it("lose one credential, or all that are active", async () => {
    stub.answer({ body: CLIENT });
    await claviger("clients", "revoke", "app", "crd_3");
    await claviger("clients", "revoke", "app");
    const revoked = requests()
      .map(([request]) => request)
      .filter((request) => request.startsWith("POST"));
    expect(revoked.map((request) => request.split("/").at(-2))).toEqual(["crd_3", "crd_1", "crd_3"]);
  });
});

describe("clients with certificates", () => {
  const enrolled = (state: string, kind = "mtls"): object => ({
    id: "cli_1",
    name: "app",
    credentials: [{ id: "crd_1", kind, state, subject: "CN=app" }],
  });

  it("are created with a subject, and no secret is printed", async () => {
    stub.answer({ status: 201, body: enrolled("active") }, { status: 201, body: { id: "crd_1", subject: "CN=app" } });
    const ran = await claviger("clients", "create", "app", "--allow", "encrypt", "--subject", "CN=app", "-o", "name");
    expect(ran).toMatchObject({ code: 0, stdout: "crd_1\n", stderr: "" });
    expect(requests()[1]).toEqual(["POST /v1/clients/cli_1/credentials", { kind: "mtls", subject: "CN=app" }]);
  });

  it("have no key to rotate, and are told what to do instead", async () => {
    stub.answer({ body: enrolled("active") });
    const ran = await claviger("clients", "rotate", "app");
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("NOTHING_TO_ROTATE") as string });
    expect(stub.seen).toHaveLength(1);
  });

  it("get another subject, beside the one before", async () => {
    stub.answer({ body: enrolled("active") }, { body: { id: "crd_2" } });
    const ran = await claviger("clients", "rotate", "app", "--subject", "CN=next", "--overlap", "7d");
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("end in 168 h") as string });
    expect(requests()[1]).toEqual([
      "POST /v1/clients/app/credentials",
      { kind: "mtls", subject: "CN=next", overlapSeconds: 604_800 },
    ]);
  });

  it("get an API key where they have nothing that counts", async () => {
    stub.answer({ body: enrolled("revoked") }, { body: { id: "crd_2", kind: "api-key", secret: "clv_sk_new" } });
    expect((await claviger("clients", "rotate", "app")).stdout).toBe("clv_sk_new\n");
  });
});

describe("a key by its name in the audit trail", () => {
  it("is looked for by its id", async () => {
    await claviger("audit", "list", "--key", "app/x");
    expect(requests().map(([request]) => request)).toEqual([
      "GET /v1/keys/app%2Fx",
      "GET /v1/audit?limit=1000&key=key_1",
    ]);
  });
});

describe("policy validate", () => {
  it("sends the text as YAML and ends with 1 for what is wrong, a line each", async () => {
    stub.answer({ body: { valid: false, problems: [{ line: 2, column: 5, message: "no such kind" }] } });
    const ran = await run(["policy", "validate", "-"], {
      environment: { CLAVIGER_ADDR: stub.address },
      stdin: "providers: {}\n",
    });
    expect(ran).toMatchObject({ code: 1, stdout: "-:2:5: no such kind\n" });
    expect(stub.seen[0]).toMatchObject({ body: "providers: {}\n", headers: { "content-type": "application/yaml" } });
  });

  it("ends with 0 for what is right", async () => {
    stub.answer({ body: { valid: true, problems: [] } });
    const ran = await run(["policy", "validate", "-"], { environment: { CLAVIGER_ADDR: stub.address }, stdin: "" });
    expect(ran).toMatchObject({ code: 0, stdout: "- is valid\n" });
  });
});

describe("a restriction that not everybody has confirmed", () => {
  it("is told on stderr", async () => {
    stub.answer({ body: { name: "k", unconfirmed: ["gateway-2"] } });
    expect((await claviger("keys", "suspend", "k", "--reason", "hold")).stderr).toBe(
      "not yet confirmed by: gateway-2\n",
    );
  });
});
