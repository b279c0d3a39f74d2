import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { hasCredential } from "#http/mount.ts";
import { type Asked, HttpFixture, TOKEN } from "./http-fixture.ts";

let fixture: HttpFixture;
beforeAll(async () => {
  fixture = await HttpFixture.open();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});
beforeEach(() => {
  fixture.refusal = undefined;
  fixture.handle = (input) => Promise.resolve({ status: 200, body: { ...input } });
  fixture.facts.length = 0;
  fixture.served.length = 0;
});

async function rejecting(thrown: Error): Promise<never> {
  await Promise.resolve();
  throw thrown;
}

const JSON_BODY = '{"name":"x"}';
const big = "x".repeat(2000);

describe("a route", () => {
  it("gives its handler the parsed parameters, body and query", async () => {
    const answer = await fixture.ask({ path: "/v1/things/a%2Fb%20c@3", body: '{"name":"é","data":{"__proto__":1}}' });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.json["params"]).toEqual({ thing: "a/b c@3" });
    expect(answer.text).toContain('"body":{"name":"é","data":{"__proto__":1}}');
  });

  it.for([
    { name: "nothing", asked: {} },
    {
      name: "nothing with a content type",
      asked: { headers: { "Content-Type": "text/plain", "Content-Length": "0" } },
    },
    { name: "nothing in chunks", asked: { headers: { "Transfer-Encoding": "chunked" } } },
    { name: "an empty object", asked: { body: "{}" } },
  ])("takes $name for {}", async ({ asked }) => {
    const answer = await fixture.ask(asked);
    expect([answer.status, answer.json["body"]]).toEqual([200, {}]);
  });

  it("sends the status and the headers that the handler gives", async () => {
    fixture.handle = () =>
      Promise.resolve({ status: 201, body: {}, headers: { Location: "/v1/things/one", ETag: '"1"' } });
    const { status, headers } = await fixture.ask({ body: JSON_BODY });
    expect(status).toBe(201);
    expect(headers).toMatchObject({ location: "/v1/things/one", etag: '"1"' });
  });

  it("answers HEAD like GET, without a body", async () => {
    const get = await fixture.ask({ method: "GET", path: "/text" });
    const head = await fixture.ask({ method: "HEAD", path: "/text" });
    expect([get.text, head.text, head.status]).toEqual(["plain", "", 200]);
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  });

  it("tells metrics what it was, with the error and its cause", async () => {
    await fixture.ask({ body: JSON_BODY, headers: { "X-Request-Id": "mine" } });
    expect(fixture.served).toEqual([
      { operation: "things.create", requestId: "mine", code: "ok", status: 200, durationMs: 0, error: undefined },
    ]);
    const thrown = new Error("the disk is on fire");
    fixture.handle = () => rejecting(thrown);
    const answer = await fixture.ask({ body: JSON_BODY });
    expect(answer.text).not.toContain("fire");
    expect(fixture.served[1]).toMatchObject({ code: "INTERNAL", status: 500, error: { cause: thrown } });
  });
});

describe("a request that is refused", () => {
  it.for<{ name: string; asked: Asked; status: number; code: string }>([
    { name: "an unknown path", asked: { path: "/v1/nothing" }, status: 404, code: "NOT_FOUND" },
    { name: "a path in another case", asked: { path: "/V1/things/one" }, status: 404, code: "NOT_FOUND" },
    { name: "a path with a slash behind it", asked: { path: "/v1/things/one/" }, status: 404, code: "NOT_FOUND" },
    { name: "a path that does not decode", asked: { path: "/v1/things/%ff" }, status: 400, code: "INVALID_ARGUMENT" },
    { name: "another method", asked: { method: "PUT" }, status: 405, code: "METHOD_NOT_ALLOWED" },
    { name: "OPTIONS", asked: { method: "OPTIONS" }, status: 405, code: "METHOD_NOT_ALLOWED" },
    { name: "HEAD without GET", asked: { method: "HEAD" }, status: 405, code: "" },
    { name: "no credential", asked: { anonymous: true }, status: 401, code: "UNAUTHENTICATED" },
    { name: "a body over the bound", asked: { body: `{"data":"${big}"}` }, status: 413, code: "BODY_TOO_LARGE" },
    {
      name: "a body over the bound in chunks",
      asked: { body: `{"data":"${big}"}`, chunked: true },
      status: 413,
      code: "BODY_TOO_LARGE",
    },
    {
      name: "a body where there is none",
      asked: { method: "GET", path: "/text", body: "{}" },
      status: 413,
      code: "BODY_TOO_LARGE",
    },
    {
      name: "another content type",
      asked: { body: JSON_BODY, headers: { "Content-Type": "text/plain" } },
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "another content type in chunks",
      asked: { body: JSON_BODY, chunked: true, headers: { "Content-Type": "text/plain" } },
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "another charset",
      asked: { body: JSON_BODY, headers: { "Content-Type": "application/json; charset=latin1" } },
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "a merge patch on POST",
      asked: { body: JSON_BODY, headers: { "Content-Type": "application/merge-patch+json" } },
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "JSON where YAML is wanted",
      asked: { path: "/v1/policy", body: "{}" },
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "an Accept without JSON",
      asked: { headers: { Accept: "text/html" } },
      status: 406,
      code: "NOT_ACCEPTABLE",
    },
    {
      name: "an Accept that excludes JSON",
      asked: { headers: { Accept: "*/*, application/json;q=0" } },
      status: 406,
      code: "NOT_ACCEPTABLE",
    },
    {
      name: "an Accept of plain text",
      asked: { headers: { Accept: "text/plain" } },
      status: 406,
      code: "NOT_ACCEPTABLE",
    },
    { name: "no JSON", asked: { body: "{" }, status: 400, code: "MALFORMED_JSON" },
    { name: "a member twice", asked: { body: '{"name":"x","name":"y"}' }, status: 400, code: "MALFORMED_JSON" },
    { name: "an unknown member", asked: { body: '{"nmae":"x"}' }, status: 400, code: "INVALID_ARGUMENT" },
    {
      name: "a member __proto__",
      asked: { body: '{"__proto__":{"name":"x"}}' },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    { name: "no object", asked: { body: "[]" }, status: 400, code: "INVALID_ARGUMENT" },
    {
      name: "a member of a body that has none",
      asked: { method: "DELETE", body: '{"a":1}' },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    {
      name: "an unknown parameter",
      asked: { method: "GET", path: "/v1/things?limti=1" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    {
      name: "a parameter __proto__",
      asked: { method: "GET", path: "/v1/things?__proto__=1" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    {
      name: "a parameter twice",
      asked: { method: "GET", path: "/v1/things?limit=1&limit=2" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    {
      name: "a parameter with a bad value",
      asked: { method: "GET", path: "/v1/things?limit=0" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    { name: "a parameter where there is none", asked: { path: "/v1/use?x=1" }, status: 400, code: "INVALID_ARGUMENT" },
    {
      name: "a dryRun on what changes nothing",
      asked: { path: "/v1/use?dryRun=true" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
    {
      name: "a dryRun that is neither true nor false",
      asked: { path: "/v1/things/one?dryRun=1" },
      status: 400,
      code: "INVALID_ARGUMENT",
    },
  ])("for $name is a problem of code $code", async ({ asked, status, code }) => {
    const answer = await fixture.ask(asked);
    expect([answer.status, answer.json["code"] ?? ""]).toEqual([status, code]);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.headers["x-request-id"]).toMatch(/^req_\d+$/u);
    expect(fixture.facts).toEqual([]);
  });

  it.for<{ name: string; asked: Asked; code: string }>([
    { name: "the path before the credential", asked: { path: "/v1/nothing", anonymous: true }, code: "NOT_FOUND" },
    { name: "the method before the credential", asked: { method: "PUT", anonymous: true }, code: "METHOD_NOT_ALLOWED" },
    { name: "the path before a credential in the url", asked: { path: "/v1/nothing?token=x" }, code: "NOT_FOUND" },
    {
      name: "a credential in the url before the credential",
      asked: { path: "/v1/things/one?token=x", anonymous: true },
      code: "INVALID_ARGUMENT",
    },
    {
      name: "the credential before the size",
      asked: { anonymous: true, body: `{"data":"${big}"}` },
      code: "UNAUTHENTICATED",
    },
    {
      name: "the size before the type",
      asked: { body: big, headers: { "Content-Type": "text/plain" } },
      code: "BODY_TOO_LARGE",
    },
    {
      name: "the size before the type in chunks",
      asked: { body: big, chunked: true, headers: { "Content-Type": "text/plain" } },
      code: "BODY_TOO_LARGE",
    },
    {
      name: "the type before what is accepted",
      asked: { body: "{", headers: { "Content-Type": "text/plain", Accept: "text/html" } },
      code: "UNSUPPORTED_MEDIA_TYPE",
    },
    {
      name: "what is accepted before the body",
      asked: { body: "{", headers: { Accept: "text/html" } },
      code: "NOT_ACCEPTABLE",
    },
  ])("is refused for $name", async ({ asked, code }) => {
    expect((await fixture.ask(asked)).json["code"]).toBe(code);
  });

  it("names each wrong field with a pointer and a code", async () => {
    const { json } = await fixture.ask({ body: '{"name":"12345678901","x/y":1}' });
    expect(json).toMatchObject({ status: 400, retry: "never", metadata: {}, type: "/docs/errors#INVALID_ARGUMENT" });
    expect(json["errors"]).toMatchObject([
      { pointer: "/name", code: "length" },
      { pointer: "/x~1y", code: "unknown-field" },
    ]);
  });

  it("carries Allow on 405, with HEAD where there is GET", async () => {
    expect((await fixture.ask({ method: "PUT" })).headers["allow"]).toBe("POST, PATCH, DELETE");
    expect((await fixture.ask({ method: "POST", path: "/text" })).headers["allow"]).toBe("GET, HEAD");
  });

  it("carries Retry-After in seconds on 429 and 503 and on nothing else", async () => {
    const retryAfter = async (error: KmsError): Promise<unknown> => {
      fixture.handle = () => rejecting(error);
      return (await fixture.ask({ body: JSON_BODY })).headers["retry-after"];
    };
    expect(await retryAfter(new KmsError("PROVIDER_THROTTLED", "x", { retryAfterSeconds: 7 }))).toBe("7");
    expect(await retryAfter(new KmsError("NO_PROVIDER", "x"))).toBe("1");
    expect(await retryAfter(new KmsError("UNKNOWN_OUTCOME", "x"))).toBe("1");
    expect(await retryAfter(new KmsError("INTERNAL", "x"))).toBeUndefined();
    expect(await retryAfter(new KmsError("NAME_TAKEN", "x"))).toBeUndefined();
  });

  it("carries WWW-Authenticate on 401", async () => {
    expect((await fixture.ask({ anonymous: true })).headers["www-authenticate"]).toBe("Bearer");
  });

  it("is refused before anything else while the gateway refuses everything, but not for health", async () => {
    fixture.refusal = new KmsError("SEALED", "the gateway is sealed");
    expect((await fixture.ask({ anonymous: true })).json["code"]).toBe("SEALED");
    expect((await fixture.ask({ method: "GET", path: "/text" })).status).toBe(200);
    expect((await fixture.ask({ path: "/v1/nothing" })).json["code"]).toBe("NOT_FOUND");
  });

  it("reaches a client that is still sending a large body", async () => {
    const answer = await fixture.ask({ body: Buffer.alloc(4_000_000, "x") });
    expect(answer.json["code"]).toBe("BODY_TOO_LARGE");
  });

  it("does not run where the client goes away in the middle of its body", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(fixture.port, "127.0.0.1", () => {
        const head = `POST /v1/things/one HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na`;
        socket.write(head, () => socket.destroy());
      });
      socket.on("close", () => resolve());
    });
    await expect.poll(() => fixture.served.length).toBe(1);
    expect(fixture.facts).toEqual([]);
  });
});

describe("what is accepted", () => {
  it.for<{ name: string; asked: Asked }>([
    {
      name: "a charset of utf-8",
      asked: { body: JSON_BODY, headers: { "Content-Type": 'Application/JSON ; charset="UTF-8"' } },
    },
    {
      name: "a merge patch on PATCH",
      asked: { method: "PATCH", body: JSON_BODY, headers: { "Content-Type": "application/merge-patch+json" } },
    },
    { name: "JSON on PATCH", asked: { method: "PATCH", body: JSON_BODY } },
    { name: "a body in chunks", asked: { body: JSON_BODY, chunked: true } },
    { name: "an Accept list with JSON", asked: { headers: { Accept: "text/html, application/json;q=0.1" } } },
    { name: "an Accept of application/*", asked: { headers: { Accept: "application/*" } } },
    { name: "any Accept", asked: { headers: { Accept: "*/*" } } },
    {
      name: "YAML where it is wanted",
      asked: { path: "/v1/policy", body: "a: 1", headers: { "Content-Type": "application/yaml" } },
    },
    {
      name: "plain text where it is given",
      asked: { method: "GET", path: "/text", headers: { Accept: "text/plain" } },
    },
    { name: "an empty body where there is none", asked: { method: "DELETE", body: "{}" } },
    { name: "a body of exactly the bound", asked: { body: `{"data":"${"x".repeat(989)}"}` } },
  ])("has $name in it", async ({ asked }) => {
    expect((await fixture.ask(asked)).status).toBe(200);
  });

  it("gives a YAML body as it came", async () => {
    const asked = { path: "/v1/policy", body: "a: é", headers: { "Content-Type": "application/yaml; charset=utf-8" } };
    expect((await fixture.ask(asked)).json["body"]).toBe("a: é");
  });

  it("has defaults of parameters in it, and plus for space", async () => {
    const { json } = await fixture.ask({ method: "GET", path: "/v1/things?state=on" });
    expect(json["query"]).toEqual({ limit: 100, state: "on" });
  });
});

describe("the headers of a request", () => {
  const factsOf = async (asked: Asked): Promise<unknown> => {
    await fixture.ask({ body: JSON_BODY, ...asked });
    return fixture.facts.at(-1);
  };

  it("become facts", async () => {
    const headers = {
      "Claviger-Namespace": "payments",
      "Claviger-Deadline-Ms": "1500",
      "If-Match": '"7"',
      "Idempotency-Key": "abc ~!",
      "X-Request-Id": "A.b_c:d-1",
    };
    expect(await factsOf({ headers, path: "/v1/things/one?dryRun=true" })).toMatchObject({
      requestId: "A.b_c:d-1",
      method: "POST",
      path: "/v1/things/one",
      namespace: "payments",
      deadlineMs: 1500,
      ifGeneration: 7,
      idempotencyKey: "abc ~!",
      dryRun: true,
    });
  });

  it("may shorten the deadline of the plane and never lengthen it", async () => {
    expect(await factsOf({})).toMatchObject({ deadlineMs: 30_000 });
    expect(await factsOf({ headers: { "Claviger-Deadline-Ms": "40000" } })).toMatchObject({ deadlineMs: 30_000 });
    expect(await factsOf({ path: "/v1/use" })).toMatchObject({ deadlineMs: 2000 });
    expect(await factsOf({ path: "/v1/use", headers: { "Claviger-Deadline-Ms": "1" } })).toMatchObject({
      deadlineMs: 1,
    });
  });

  it("of changes are ignored on data operations", async () => {
    const headers = { "If-Match": "*", "Idempotency-Key": "é" };
    expect(await factsOf({ path: "/v1/use", headers: { "If-Match": headers["If-Match"] } })).toMatchObject({
      ifGeneration: undefined,
      idempotencyKey: undefined,
    });
  });

  it.for([
    ["Claviger-Namespace", "Payments"],
    ["Claviger-Namespace", ""],
    ["Claviger-Deadline-Ms", "0"],
    ["Claviger-Deadline-Ms", "1.5"],
    ["Claviger-Deadline-Ms", "-1"],
    ["Claviger-Deadline-Ms", "1e3"],
    ["Claviger-Deadline-Ms", "99999999999999999999"],
    ["If-Match", "7"],
    ["If-Match", "*"],
    ["If-Match", 'W/"7"'],
    ["If-Match", '"1", "2"'],
    ["Idempotency-Key", ""],
    ["Idempotency-Key", "x".repeat(256)],
    ["Idempotency-Key", "tab\there"],
  ] as const)("%s: %s is refused", async ([name, value]) => {
    const answer = await fixture.ask({ body: JSON_BODY, headers: { [name]: value } });
    expect([answer.status, answer.json["code"]]).toEqual([400, "INVALID_ARGUMENT"]);
  });

  it.for(["", "two words", "x".repeat(129), "é", "a/b"])("a request id of another form is replaced: %s", async (id) => {
    const answer = await fixture.ask({
      body: JSON_BODY,
      headers: { "X-Request-Id": Buffer.from(id).toString("latin1") },
    });
    expect(answer.headers["x-request-id"]).toMatch(/^req_\d+$/u);
  });

  it("that stand twice are refused, not chosen from", async () => {
    const answer = await fixture.ask({ body: JSON_BODY, headers: { "Claviger-Namespace": ["one", "two"] } });
    expect(answer.status).toBe(400);
  });

  it("with an Idempotency-Key give the body a digest that does not depend on its writing", async () => {
    const digestOf = async (body: string, key = "k"): Promise<unknown> => {
      await fixture.ask({ body, headers: { "Idempotency-Key": key } });
      return fixture.facts.at(-1)?.bodyDigest;
    };
    const one = await digestOf('{"name":"x","data":[1]}');
    expect(await digestOf('{ "data": [1.0], "name": "\\u0078" }')).toBe(one);
    expect(await digestOf('{"name":"x","data":[2]}')).not.toBe(one);
  });
});

describe("a credential in a url", () => {
  it.for([
    "/v1/keys?api_key=x",
    "/v1/keys?apikey=x",
    "/v1/keys?API-Key=x",
    "/v1/keys?a=b&access_token=x",
    "/v1/keys?token=x",
    "/v1/keys?authorization=Bearer%20x",
    "/v1/keys?x=clv_sk_abc",
    "/v1/keys/clv_sk_abc",
    "/v1/keys?api%5Fkey=x",
    "/v1/keys?x=clv%5fsk_abc",
    "/v1/keys?a=b%26token=x",
  ])("is seen in %s", (url) => {
    expect(hasCredential(url)).toBe(true);
  });

  it.for([
    "/v1/keys",
    "/v1/keys?label.token=x",
    "/v1/token/x",
    "/v1/keys?x=token",
    "/v1/keys/%E2%82%AC",
    "/v1/keys?cursor=a%3D",
  ])("is not seen in %s", (url) => {
    expect(hasCredential(url)).toBe(false);
  });

  it("is told without repeating it", async () => {
    const answer = await fixture.ask({ path: "/v1/things/one?api_key=s3cr3t", anonymous: true });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("s3cr3t");
    expect(JSON.stringify(fixture.served)).not.toContain("s3cr3t");
  });
});
