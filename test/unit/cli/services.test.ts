import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseServices } from "#cli/services/parse-services.ts";
import { type Ran, run } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

const APP = "- { name: app, role: user, keys: [a-*], allow: [encrypt], credential: api-key }\n";

/** The mistakes of a text, each with its place. */
function mistakesOf(text: string): readonly string[] {
  return parseServices(text).mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

describe("a file of services", () => {
  it("is a list of them", () => {
    const text = `${APP}- name: web
  role: operator
  keys: ["*"]
  allow: ["*"]
  contextEquals: { tenant: a }
  expireTime: 2027-01-31
  credential: mtls
  subject: " o=Example , cn=web "
`;
    expect(parseServices(text)).toEqual({
      mistakes: [],
      services: [
        {
          name: "app",
          role: "user",
          keys: ["a-*"],
          allow: ["encrypt"],
          contextEquals: {},
          expireTime: undefined,
          credential: "api-key",
          subject: undefined,
          at: { line: 1, column: 3 },
        },
        {
          name: "web",
          role: "operator",
          keys: ["*"],
          allow: ["*"],
          contextEquals: { tenant: "a" },
          expireTime: "2027-01-31T00:00:00.000Z",
          credential: "mtls",
          subject: "O=Example,CN=web",
          at: { line: 2, column: 3 },
        },
      ],
    });
    expect(parseServices("[]\n")).toEqual({ services: [], mistakes: [] });
  });

  it("is told of every mistake at once, in the order of the text", () => {
    const text = `- app
- { name: "-x", role: user, keys: all, allow: [encrypt, encrypt], credential: api-key, subject: CN=a }
- { name: web, rolle: user, keys: [1], allow: [encrypt], contextEquals: { n: 1 }, credential: mtls, subject: nobody, expireTime: soon }
- { name: dup, role: user, keys: [a], allow: [], credential: mtls, subject: "CN=a,O=b" }
- { name: dup, role: user, keys: [a], allow: [], credential: mtls, subject: "cn=a, o=b" }
`;
    expect(mistakesOf(text)).toEqual([
      "1:3: wanted a mapping such as { name: checkout, … }",
      "2:11: name: wanted a name that matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
      "2:35: keys: wanted a list of globs on names of keys",
      "2:57: allow[1]: encrypt stands here twice",
      "2:97: subject: an api-key has none",
      "3:3: role: wanted, and not there",
      "3:16: there is no member rolle; wanted name, role, keys, allow, contextEquals, expireTime, credential, subject",
      "3:36: keys[0]: wanted globs on names of keys",
      "3:75: contextEquals.n: wanted a text; quote it",
      "3:110: subject: wanted a spiffe:// id, or a name such as CN=checkout,O=Example",
      "3:130: expireTime: wanted a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z",
      "5:11: name: another service has dup",
      "5:77: subject: another service has CN=a,O=b",
    ]);
  });

  it.for([
    { name: "that is empty", text: "", told: ["1:1: wanted a list of services"] },
    { name: "that is no list", text: "name: app\n", told: ["1:1: wanted a list of services"] },
    {
      name: "with a member twice",
      text: APP.replace("role", "name: b, role"),
      told: ["1:16: the member stands here twice"],
    },
    {
      name: "with * beside an operation",
      text: APP.replace("[encrypt]", '["*", encrypt]'),
      told: ["1:48: allow: wanted * alone, or operations"],
    },
    {
      name: "with empty values",
      text: APP.replace("app", ""),
      told: [expect.stringContaining("name: wanted a name") as string],
    },
  ])("$name is refused", ({ text, told }) => {
    expect(mistakesOf(text)).toEqual(told);
  });

  it.for(["- [", "- *a", "- {name: !!binary aGk=}", "- {? [a] : b}", "a: &b [*b]", "--- 1\n--- 2\n", "- {keys: [*x]}"])(
    "is never the cause of more than mistakes: %j",
    (text) => {
      expect(mistakesOf(text)).not.toEqual([]);
    },
  );
});

describe("clients from a file", () => {
  let folder: string;
  let stub: Stub;
  beforeAll(async () => {
    stub = await startStub();
  });
  afterAll(async () => {
    await stub[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "claviger-services-"));
    await writeFile(join(folder, "s.yaml"), APP);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const NOBODY = { body: { items: [], nextCursor: null } };
  const client = (...credentials: object[]): object => ({
    id: "cli_1",
    name: "app",
    role: "user",
    keys: ["a-*"],
    allow: ["encrypt"],
    contextEquals: {},
    expireTime: null,
    credentials,
  });
  const MADE = { status: 201, body: { id: "crd_1", kind: "api-key", secret: "clv_sk_new" } };
  const known = (...credentials: object[]) => ({ body: { items: [client(...credentials)], nextCursor: null } });

  async function create(): Promise<Ran> {
    return await run(["clients", "create", "--from", "s.yaml", "--out", "out"], {
      cwd: folder,
      environment: { CLAVIGER_ADDR: stub.address, CLAVIGER_API_KEY: "clv_sk_admin" },
    });
  }
  const asked = (): readonly string[] => stub.seen.map(({ method, url }) => `${method} ${url}`);
  const keysAsked = (): readonly unknown[] =>
    stub.seen.filter(({ url }) => url.endsWith("/credentials")).map(({ headers }) => headers["idempotency-key"]);

  it("get their secrets in files that their owner alone reads, and nowhere else", async () => {
    stub.answer(NOBODY, { body: client() }, { status: 201, body: client() }, MADE);
    const ran = await create();
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).not.toContain("clv_sk_new");
    expect(asked()).toEqual([
      "GET /v1/clients",
      "POST /v1/clients?dryRun=true",
      "POST /v1/clients",
      "POST /v1/clients/cli_1/credentials",
    ]);
    expect(await readFile(join(folder, "out/app.key"), "utf8")).toBe("clv_sk_new\n");
    expect((await stat(join(folder, "out/app.key"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "out"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "out"))).toEqual(["app.key"]);
  });

  it("are not made where the gateway refuses one of them: it is told with its place", async () => {
    stub.answer(NOBODY, { status: 400, body: { code: "INVALID_ARGUMENT", title: "t", detail: "no such glob" } });
    const ran = await create();
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/^s\.yaml:1:3: app: no such glob/u) as string });
    expect(stub.seen).toHaveLength(2);
  });

  it("are not made where a file is there already, which may be somebody's key", async () => {
    stub.answer(NOBODY, { body: client() });
    await writeFile(join(folder, "out"), ""); // no folder, so nothing in it
    expect((await create()).code).toBe(1);
    await rm(join(folder, "out"));
    stub.answer(NOBODY, { body: client() }, { status: 201, body: client() }, MADE);
    await create();
    stub.answer(NOBODY, { body: client() });
    const again = await create();
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("app.key is there already") as string });
    expect(asked().filter((request) => request.startsWith("POST") && !request.includes("dryRun"))).toEqual([]);
  });

  it("are completed by the next run when one is broken off before the credential was made, with the same Idempotency-Key", async () => {
    stub.answer(NOBODY, { body: client() }, { status: 201, body: client() }, "break", "break");
    expect((await create()).code).toBe(3);
    const [first] = keysAsked();
    expect(await readdir(join(folder, "out"))).toEqual(["app.key.pending"]);
    stub.answer(known(), MADE);
    expect((await create()).stdout).toContain("completed");
    expect(keysAsked()).toEqual([first]);
    expect(await readdir(join(folder, "out"))).toEqual(["app.key"]);
  });

  it("get another key where the secret of the first was lost on the way, which is revoked", async () => {
    const LOST = { status: 201, body: { id: "crd_1", kind: "api-key" } };
    stub.answer(NOBODY, { body: client() }, { status: 201, body: client() }, "break", LOST, { body: {} }, MADE);
    expect((await create()).code).toBe(0);
    expect(asked().slice(-2)).toEqual([
      "POST /v1/clients/cli_1/credentials/crd_1/revoke",
      "POST /v1/clients/cli_1/credentials",
    ]);
    const [first, repeated, second] = keysAsked();
    expect([repeated === first, second === first]).toEqual([true, false]);
    expect(await readFile(join(folder, "out/app.key"), "utf8")).toBe("clv_sk_new\n");
  });

  it("that are there with a credential are left, wherever their secrets are", async () => {
    stub.answer(known({ id: "crd_1", kind: "api-key", state: "active", subject: null }));
    expect(await create()).toMatchObject({ code: 0, stdout: expect.stringContaining("unchanged") as string });
    expect(asked()).toEqual(["GET /v1/clients"]);
  });

  it("that differ are left and told, with 4", async () => {
    await writeFile(join(folder, "s.yaml"), APP.replace("[encrypt]", "[decrypt]").replace("user", "operator"));
    stub.answer(known({ id: "crd_1", kind: "api-key", state: "active", subject: null }));
    const ran = await create();
    expect(ran).toMatchObject({
      code: 4,
      stdout: expect.stringContaining("role: wanted operator, is user; allow: wanted decrypt, is encrypt") as string,
    });
    expect(asked()).toEqual(["GET /v1/clients"]);
  });

  it("are not made with a certificate that is another client's", async () => {
    await writeFile(join(folder, "s.yaml"), APP.replace("app", "web").replace("api-key", 'mtls, subject: "CN=a"'));
    stub.answer(known({ id: "crd_1", kind: "mtls", state: "active", subject: "CN=a" }), { body: client() });
    const ran = await create();
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("s.yaml:1:3: web: CN=a is that of app") as string,
    });
  });
});
