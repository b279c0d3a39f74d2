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
  stub.answer({});
});

const environment = (): Record<string, string> => ({ CLAVIGER_ADDR: stub.address, CLAVIGER_API_KEY: "clv_sk_x" });
const claviger = async (...argv: string[]): Promise<Ran> => await run(argv, { environment: environment() });
const problem = (
  code: string,
  retry: string,
  status = 503,
): { status: number; headers: Record<string, string>; body: object } => ({
  status,
  headers: { "X-Request-Id": "req_7" },
  body: {
    title: `title of ${code}`,
    status,
    code,
    detail: "the detail",
    retry,
    requestId: "req_7",
    metadata: {},
    errors: [],
  },
});

describe("requests", () => {
  it("carry the credential, the namespace and an id of their own", async () => {
    await run(["keys", "show", "a", "--namespace", "payments"], { environment: environment() });
    expect(stub.seen).toMatchObject([
      {
        method: "GET",
        url: "/v1/keys/a",
        headers: {
          authorization: "Bearer clv_sk_x",
          "claviger-namespace": "payments",
          "x-request-id": expect.stringMatching(/^cli-/u) as string,
        },
      },
    ]);
  });

  it("name a key so that nothing in it leads elsewhere", async () => {
    await claviger("keys", "show", "a/../b?x=1#y");
    expect(stub.seen[0]?.url).toBe("/v1/keys/a%2F..%2Fb%3Fx%3D1%23y");
    for (const name of ["", ".", ".."]) expect(await claviger("keys", "show", name)).toMatchObject({ code: 2 });
    expect(stub.seen).toHaveLength(1);
  });

  it("go under the path of the address", async () => {
    await run(["keys", "show", "a"], { environment: { CLAVIGER_ADDR: `${stub.address}/behind/a/proxy/` } });
    expect(stub.seen[0]?.url).toBe("/behind/a/proxy/v1/keys/a");
  });

  it("follow the pages of a list to the end", async () => {
    const page = (name: string, nextCursor: string | null): { body: object } => ({
      body: { items: [{ name }], nextCursor },
    });
    stub.answer(page("a", "next page"), page("b", "last"), { body: { items: [], nextCursor: null } });
    expect((await claviger("keys", "--state", "active", "-o", "name")).stdout).toBe("a\nb\n");
    expect(stub.seen.map(({ url }) => url)).toEqual([
      "/v1/keys?limit=1000&state=active",
      "/v1/keys?limit=1000&state=active&cursor=next+page",
      "/v1/keys?limit=1000&state=active&cursor=last",
    ]);
  });
});

describe("changes", () => {
  it("carry an idempotency key, each its own", async () => {
    await claviger("keys", "create", "a");
    await claviger("keys", "rotate", "a");
    const keys = stub.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toEqual([expect.any(String), expect.any(String)]);
  });

  it("are asked for once more with the same key when the connection breaks", async () => {
    stub.answer("break", { body: { name: "a" } });
    expect(await claviger("keys", "create", "a", "-o", "name")).toMatchObject({ code: 0, stdout: "a\n" });
    const [first, second] = stub.seen.map(({ headers, body }) => [headers["idempotency-key"], body]);
    expect(first).toEqual(second);
  });

  it("are asked for no third time", async () => {
    stub.answer("break");
    const { code, stderr } = await claviger("keys", "create", "a");
    expect([code, stub.seen.length]).toEqual([3, 2]);
    expect(stderr).toMatch(/the connection broke, twice \(ECONNRESET\)\n.*\(request cli-/u);
  });

  it("of unknown outcome are asked for once more with the same key", async () => {
    stub.answer(problem("UNKNOWN_OUTCOME", "same-key"), { body: { name: "a" } });
    expect(await claviger("keys", "create", "a", "-o", "name")).toMatchObject({ code: 0, stdout: "a\n" });
    stub.answer(problem("UNKNOWN_OUTCOME", "same-key"));
    expect(await claviger("keys", "create", "a")).toMatchObject({ code: 3 });
    expect(new Set(stub.seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  it("that are only tried change nothing and carry no key", async () => {
    await claviger("keys", "create", "a", "--dry-run");
    expect(stub.seen[0]?.url).toBe("/v1/keys?dryRun=true");
    expect(stub.seen[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  it("are the only requests with an idempotency key", async () => {
    await run(["encrypt", "a"], { environment: environment(), stdin: "x" });
    await claviger("keys", "show", "a");
    for (const { headers } of stub.seen) expect(headers).not.toHaveProperty("idempotency-key");
  });
});

describe("answers", () => {
  it.for([
    { retry: "never", code: 1 },
    { retry: "later", code: 3 },
    { retry: "same-key", code: 3 },
  ])("of an error that is retried $retry end the command with $code", async ({ retry, code }) => {
    stub.answer(problem("SOME_CODE", retry));
    const ran = await claviger("keys", "show", "a");
    expect(ran).toMatchObject({ code, stdout: "" });
    expect(ran.stderr).toMatch(
      /^claviger keys show: title of SOME_CODE\n {2}why: {2}the detail \(SOME_CODE\)\n {2}next: .* \(request req_7\)\n$/u,
    );
  });

  it("tell the gateway's own help, and each field that is wrong", async () => {
    const { status, body } = problem("INVALID_ARGUMENT", "never", 400);
    stub.answer({
      status,
      body: { ...body, help: "do this", errors: [{ pointer: "/labels/a", code: "length", detail: "too long" }] },
    });
    const { stderr } = await claviger("keys", "create", "a");
    expect(stderr).toContain("the detail; /labels/a: too long (INVALID_ARGUMENT)");
    expect(stderr).toContain("next: do this (request");
  });

  it("tell how long to wait", async () => {
    const later = problem("NO_PROVIDER", "later");
    stub.answer({ ...later, headers: { "Retry-After": "7" } });
    expect((await claviger("keys")).stderr).toContain("next: try again in 7 s");
  });

  it("of somebody else are told as such", async () => {
    stub.answer({ status: 502, raw: "<html>Bad gateway</html>" });
    expect(await claviger("keys")).toMatchObject({ code: 3, stderr: expect.stringContaining("HTTP_502") as string });
    stub.answer({ status: 302, headers: { Location: "https://elsewhere.example" }, raw: "" });
    expect(await claviger("keys")).toMatchObject({ code: 1, stderr: expect.stringContaining("HTTP_302") as string });
    expect(stub.seen).toHaveLength(1);
  });

  it("that nobody gives end the command with 3", async () => {
    const ran = await run(["keys"], { environment: { CLAVIGER_ADDR: "http://127.0.0.1:1" } });
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("ECONNREFUSED") as string });
  });
});

it("a command that is told to end says that it did not end by itself", async () => {
  const stopping = new AbortController();
  stopping.abort();
  const ran = await run(["keys"], { environment: environment(), signal: stopping.signal });
  expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("INTERRUPTED") as string });
});
