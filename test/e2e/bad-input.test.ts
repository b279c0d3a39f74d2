import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import { type Answer, Gateway } from "./live-gateway.ts";
import { type BadCase, ENCRYPT, encrypt, KEYS, PLAINTEXT, PLAINTEXT_BASE64, post } from "./tables/case.ts";
import { BAD_BODIES, BAD_CREDENTIALS, BAD_HEADERS, BAD_METHODS, BAD_PARAMETERS, BAD_PATHS } from "./tables/http.ts";
import { BAD_JSON, BAD_SHAPE } from "./tables/json.ts";
import { BAD_STATES } from "./tables/states.ts";
import { BAD_KEYS, BAD_VALUES } from "./tables/values.ts";

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start();
  await prepare();
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
}, 30_000);

/** Makes a key in each state, and fails if one of the steps is refused. */
async function prepare(): Promise<void> {
  const made = async (path: string, body: object): Promise<void> => {
    const { status, text } = await gateway.ask(post(path, body));
    if (status >= 300) throw new Error(`${path}: ${text}`);
  };
  for (const name of Object.values(KEYS)) {
    const body = {
      name,
      ...(name === KEYS.generated ? { activate: false } : {}),
    };
    await made("/v1/keys", body);
  }
  await made(`/v1/keys/${KEYS.rotated}/rotate`, {});
  await made(`/v1/keys/${KEYS.suspended}/suspend`, { reason: "hold" });
  await made(`/v1/keys/${KEYS.processing}/suspend`, { reason: "hold", processing: "allow" });
  await made(`/v1/keys/${KEYS.deactivated}/deactivate`, { reason: "revoked" });
  await made(`/v1/keys/${KEYS.compromised}/compromise`, { reason: "found on a pastebin" });
}

const TABLES: Readonly<Record<string, readonly BadCase[]>> = {
  "a body that is not JSON": BAD_JSON,
  "a body of another shape": BAD_SHAPE,
  "a value": BAD_VALUES,
  "a new key": BAD_KEYS,
  "a path": BAD_PATHS,
  "a method": BAD_METHODS,
  "a credential": BAD_CREDENTIALS,
  "a body as a whole": BAD_BODIES,
  "a parameter": BAD_PARAMETERS,
  "a header": BAD_HEADERS,
  "a key in the wrong state": BAD_STATES,
};

describe.for(Object.entries(TABLES))("%s is refused:", ([, table]) => {
  it.for(table)("$name", async ({ asked, status, code, field, header }) => {
    const answer = await gateway.ask(asked);
    expect({ status: answer.status, code: answer.json["code"], detail: answer.json["detail"] }).toMatchObject({
      status,
      code,
    });
    expectProblem(answer);
    if (field !== undefined) expect(fieldsOf(answer)).toContainEqual(field);
    expect(answer.headers).toMatchObject(header ?? {});
  });
});

/** The form of every error (api.md § 4). */
function expectProblem({ status, headers, json, text }: Answer): void {
  const { code, errors, metadata } = json;
  const { title, retry } = ERROR_CODES[code as ErrorCode];
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(json).toMatchObject({ type: `/docs/errors#${String(code)}`, title, status, retry });
  expect(json["requestId"]).toBe(headers["x-request-id"]);
  expect(Object.values(metadata as object).every((value) => typeof value === "string")).toBe(true);
  for (const error of errors as readonly object[]) expect(Object.keys(error)).toEqual(["pointer", "code", "detail"]);
  expect(text).not.toContain(PLAINTEXT_BASE64);
  expect(text).not.toMatch(/clv_sk_|node_modules|\.ts:|at async/u);
}

function fieldsOf({ json }: Answer): readonly (readonly [string, string])[] {
  const errors = json["errors"] as readonly { readonly pointer: string; readonly code: string }[];
  return errors.map(({ pointer, code }) => [pointer, code] as const);
}

describe("what is close to the border is accepted:", () => {
  it.for([
    { name: "an empty plaintext", asked: encrypt({ plaintext: "" }) },
    { name: "a plaintext of 524,288 bytes", asked: encrypt({ plaintext: Buffer.alloc(524_288).toString("base64") }) },
    { name: "white space around JSON", asked: encrypt(` \r\n\t{ "plaintext" : "" } \n`) },
    { name: "null where there is a default", asked: encrypt({ plaintext: "", context: null, format: null }) },
    {
      name: "a context with every limit",
      asked: encrypt({ plaintext: "", context: { ["😀".repeat(128)]: "é".repeat(1024) } }),
    },
    { name: "an empty context", asked: encrypt({ plaintext: "", context: {} }) },
    {
      name: "the content type with a charset",
      asked: encrypt({ plaintext: "" }, { headers: { "content-type": "application/json; charset=UTF-8" } }),
    },
    { name: "Accept */*", asked: encrypt({ plaintext: "" }, { headers: { accept: "text/html, */*;q=0.1" } }) },
    { name: "an id in the path", asked: encrypt({ plaintext: "" }, { path: ENCRYPT }) },
    { name: "the primary version by number", asked: post(`/v1/keys/${KEYS.active}@1/encrypt`, { plaintext: "" }) },
    { name: "an escape in the path", asked: post("/v1/keys/%6frders/encrypt", { plaintext: "" }) },
    { name: "a body in chunks", asked: encrypt({ plaintext: "" }, { chunked: true }) },
    {
      name: "a deadline longer than the gateway's",
      asked: encrypt({ plaintext: "" }, { headers: { "claviger-deadline-ms": "999999" } }),
    },
    { name: "a list of 1000", asked: { path: "/v1/keys?limit=1000&label.team=x" } },
    { name: "a dry run", asked: post("/v1/keys?dryRun=true", { name: "fresh" }) },
  ])("$name", async ({ asked }) => {
    const { status, json } = await gateway.ask(asked);
    expect([status, json["code"]]).toEqual([200, undefined]);
  });

  it("a dry run changes nothing", async () => {
    expect(await gateway.ask({ path: "/v1/keys/fresh" })).toMatchObject({ status: 404 });
  });
});

describe("a context", () => {
  it.for([
    { name: "__proto__", context: '{"__proto__":"a"}' },
    { name: "constructor and prototype", context: '{"constructor":"a","prototype":"b"}' },
    { name: "a name of a number", context: '{"1":"a","0":"b"}' },
    { name: "text beyond the basic plane", context: '{"😀":"\\ud83d\\ude00"}' },
  ])("with $name binds the ciphertext", async ({ context }) => {
    const sealed = await gateway.ask(encrypt(`{"plaintext":"${PLAINTEXT_BASE64}","context":${context}}`));
    const ciphertext = JSON.stringify(sealed.json["ciphertext"]);
    const opened = await gateway.ask(post("/v1/decrypt", `{"ciphertext":${ciphertext},"context":${context}}`));
    expect(opened).toMatchObject({ status: 200, json: { plaintext: PLAINTEXT_BASE64 } });
    for (const other of ["{}", '{"__proto__":"b"}', '{"a":"a"}']) {
      const refused = await gateway.ask(post("/v1/decrypt", `{"ciphertext":${ciphertext},"context":${other}}`));
      expect(refused).toMatchObject({ status: 400, json: { code: "CIPHERTEXT_INVALID" } });
    }
  });
});

describe("a request id", () => {
  it.for(["abc", "A.b_c:d-9", "x".repeat(128)])("of the right form is kept: %s", async (id) => {
    expect(
      (await gateway.ask(encrypt({ plaintext: "" }, { headers: { "x-request-id": id } }))).headers["x-request-id"],
    ).toBe(id);
    expect((await gateway.ask({ path: "/nowhere", headers: { "x-request-id": id } })).json["requestId"]).toBe(id);
  });

  it.for(["", "a b", "x".repeat(129), "a/b", "<script>"])("of another form is replaced: %s", async (id) => {
    const { headers } = await gateway.ask(encrypt({ plaintext: "" }, { headers: { "x-request-id": id } }));
    expect(headers["x-request-id"]).toMatch(/^req_[0-9a-f-]{36}$/u);
  });
});

describe("a batch", () => {
  it("fails the item with a wrong value, and it alone", async () => {
    const items = [
      { plaintext: PLAINTEXT_BASE64 },
      { plaintext: "YWI" },
      { plaintext: "", context: { "": "x" } },
      { plaintext: "" },
    ];
    const { status, json } = await gateway.ask(encrypt({ items }));
    expect([status, json["failed"]]).toEqual([207, 2]);
    const codes = (json["items"] as readonly { readonly error?: { readonly code: string } }[]).map(
      ({ error }) => error?.code ?? "ok",
    );
    expect(codes).toEqual(["ok", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "ok"]);
  });
});

describe("a caller who may less", () => {
  const asUser = async (allow: readonly string[], keys: readonly string[], name: string): Promise<string> => {
    await gateway.ask(post("/v1/clients", { name, role: "user", keys, allow }));
    const { json } = await gateway.ask(post(`/v1/clients/${name}/credentials`, { kind: "api-key" }));
    return String(json["secret"]);
  };

  it("learns nothing of keys that it may not see or use", async () => {
    const apiKey = await asUser(["decrypt"], ["orders*"], "reader");
    const ask = async (path: string, body: object): Promise<unknown> => {
      const { status, json } = await gateway.ask(post(path, body, { apiKey }));
      return [status, json["code"]];
    };
    const plaintext = { plaintext: PLAINTEXT_BASE64 };
    expect(await ask(`/v1/keys/${KEYS.suspended}/encrypt`, plaintext)).toEqual([403, "PERMISSION_DENIED"]);
    expect(await ask(`/v1/keys/${KEYS.active}/suspend`, { reason: "hold" })).toEqual([403, "PERMISSION_DENIED"]);
    expect(await ask("/v1/keys?dryRun=true", { name: "fresh" })).toEqual([403, "PERMISSION_DENIED"]);
    const outside = await asUser(["*"], ["invoices*"], "outsider");
    const hidden = await gateway.ask(encrypt(plaintext, { apiKey: outside, headers: { "x-request-id": "same" } }));
    const missing = await gateway.ask(
      post("/v1/keys/nothing/encrypt", plaintext, { apiKey: outside, headers: { "x-request-id": "same" } }),
    );
    expect(hidden.text).toBe(missing.text);
    expect(hidden.status).toBe(404);
  });
});

describe("an Idempotency-Key", () => {
  it("used for another body or path is refused, and a refused first one is not kept", async () => {
    const headers = { "idempotency-key": "once" };
    expect((await gateway.ask(post("/v1/keys", { name: "a/b" }, { headers }))).status).toBe(400);
    expect((await gateway.ask(post("/v1/keys", { name: "once" }, { headers }))).status).toBe(201);
    const again = await gateway.ask(post("/v1/keys", '{ "name" : "\\u006fnce" }', { headers }));
    expect([again.status, again.headers["idempotent-replayed"]]).toEqual([201, "true"]);
    const other = await gateway.ask(post("/v1/keys", { name: "twice" }, { headers }));
    expect([other.status, other.json["code"]]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    const path = await gateway.ask(post("/v1/keys/once/rotate", {}, { headers }));
    expect([path.status, path.json["code"]]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
  });
});

describe("a deadline", () => {
  it("that has passed is 504, for a key whose branch key must be made and wrapped first", async () => {
    const custody = { kind: "portable", dedicated: true };
    const headers = { "claviger-deadline-ms": "1" };
    const {
      status,
      json,
      headers: answered,
    } = await gateway.ask(post("/v1/keys", { name: "late", custody }, { headers }));
    expect([status, json["code"]]).toEqual([504, "DEADLINE_EXCEEDED"]);
    expect(answered["retry-after"]).toBe("1");
  });
});

describe("the documentation", () => {
  it.for(["/docs", "/docs/errors"])("%s is open to anybody, and its policy lets nothing be loaded", async (path) => {
    const { status, headers, text } = await gateway.ask({ path, apiKey: null, headers: { accept: "text/html" } });
    expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; /u);
    expect(text).toContain("<!doctype html>");
    expect((await gateway.ask({ method: "HEAD", path, apiKey: null })).headers["content-length"]).toBe(
      String(Buffer.byteLength(text)),
    );
  });

  it("is an OpenAPI document too, and explains each code that a problem leads to", async () => {
    const { status, json } = await gateway.ask({ path: "/openapi.json", apiKey: null });
    expect([status, json["openapi"]]).toEqual([200, "3.1.0"]);
    const { type } = (await gateway.ask({ path: "/nowhere" })).json;
    const [page = "", anchor] = String(type).split("#");
    expect((await gateway.ask({ path: page })).text).toContain(`id="${anchor}"`);
  });
});

describe("what is no HTTP", () => {
  it.for([
    { name: "another protocol", text: "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
    {
      name: "two lengths",
      text: "POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    },
    {
      name: "a length beside chunks",
      text: "POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    },
    { name: "a method that there is not", text: "FETCH /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n" },
  ])("is answered with 400 and closed: $name", async ({ text }) => {
    const answer = await gateway.raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /u);
    expect(answer).toContain('"code":"INVALID_ARGUMENT"');
  });
});

describe("after all that", () => {
  it("the process lives, still works, and has written no plaintext and no credential anywhere", async () => {
    expect(gateway.isAlive).toBe(true);
    expect((await gateway.ask(encrypt({ plaintext: PLAINTEXT_BASE64 }))).status).toBe(200);
    const secrets = [
      PLAINTEXT.toString("utf8"),
      PLAINTEXT_BASE64,
      gateway.apiKey,
      "clv_sk_AAAA",
      "found on a pastebin",
      "hunter2",
    ];
    for (const secret of secrets) expect(gateway.log.includes(secret), "the log has a secret").toBe(false);
    for (const { path, bytes } of await filesOf(gateway.data)) {
      for (const secret of secrets.slice(0, 3))
        expect(bytes.includes(secret) && !path.endsWith("client.json"), path).toBe(false);
    }
    expect(await gateway.stop()).toBe(0);
  });
});

async function filesOf(folder: string): Promise<readonly { readonly path: string; readonly bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(files.map(async (path) => ({ path, bytes: await readFile(path) })));
}
