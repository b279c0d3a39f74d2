import { once } from "node:events";
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";
import { createAuthority, type ClientCertificate, issue, selfSign } from "../fakes/client-certificates.ts";
import { run, type Ran } from "../unit/cli/run.ts";
import { eventually } from "./eventually.ts";
import { Gateway } from "./live-gateway.ts";
import { outcome, Person, succeeded } from "./person.ts";

const now = Date.now(); // TLS has no other clock
const UNKNOWN = "401 UNAUTHENTICATED";
const serverAuthority = await createLocalAuthority(now);
const ours = await createAuthority("CN=Ours");
const foreign = await createAuthority("CN=Foreign");

let folder: string;
let gateway: Gateway;
let admin: Person;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claviger-credentials-"));
  await writeFile(join(folder, "ca.pem"), serverAuthority.certificate);
  await putServerCertificate();
  await put("clients.pem", ours.certificate);
  const config = [
    "providers:",
    "  hsm: { kind: local-hsm }",
    "listen:",
    `  tls: { certificate: ${join(folder, "server.pem")}, key: ${join(folder, "server-key.pem")} }`,
    `  clientCertificates: ${join(folder, "clients.pem")}`,
  ].join("\n");
  gateway = await Gateway.start({ config, ca: serverAuthority.certificate });
  admin = new Person(gateway);
  for (const name of ["orders", "invoices"]) await admin.make(name);
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}, 30_000);

/** Replaces a file as an orchestrator does. */
async function put(name: string, text: string): Promise<void> {
  await writeFile(join(folder, `${name}.new`), text, { mode: 0o600 });
  await rename(join(folder, `${name}.new`), join(folder, name));
}

async function putServerCertificate(): Promise<void> {
  const { certificate, key } = await issueServerCertificate(serverAuthority, { host: "127.0.0.1", now });
  await put("server-key.pem", key);
  await put("server.pem", certificate);
}

type Holder = {
  readonly agent?: Agent;
  readonly certificate?: ClientCertificate;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What comes back to somebody with a certificate: `200`, the status and the code, or that there was no answer. */
async function ask(holder: Holder, path: string, body?: object): Promise<string> {
  const { agent, certificate, headers } = holder;
  return await new Promise((resolve) => {
    const sent = request(
      new URL(path, gateway.address),
      {
        ...certificate,
        ca: gateway.ca,
        agent: agent ?? false,
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json", ...headers },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          const json = JSON.parse(text) as Record<string, unknown>;
          resolve(outcome({ status: response.statusCode ?? 0, headers: {}, text, json }));
        });
      },
    );
    sent.on("error", () => resolve("no answer"));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const encrypt = async (holder: Holder, key = "orders"): Promise<string> =>
  await ask(holder, `/v1/keys/${key}/encrypt`, { plaintext: "" });

/** Makes a client whose only credential is a certificate. */
async function enrol(name: string, subject: string, body: object = {}, by = admin): Promise<Record<string, unknown>> {
  succeeded(await by.post("/v1/clients", { name, allow: ["*"], ...body }));
  return succeeded(await by.post(`/v1/clients/${name}/credentials`, { kind: "mtls", subject }));
}

async function credentialOf(client: string, index = 0): Promise<Record<string, unknown>> {
  const { credentials } = succeeded(await admin.get(`/v1/clients/${client}`));
  return (credentials as readonly Record<string, unknown>[])[index] ?? {};
}

describe("a client certificate", () => {
  it("is known by its SPIFFE id or its subject, within what its client may", async () => {
    await enrol("checkout", "spiffe://example.org/checkout", { keys: ["orders"], allow: ["encrypt"] });
    await enrol("billing", String.raw`o = Example\2c Inc. , 2.5.4.6=DE`, { keys: ["inv*"] });
    const checkout = { certificate: await issue(ours, { uris: ["spiffe://example.org/checkout"] }) };
    const billing = { certificate: await issue(ours, { subject: String.raw`C=DE, O=Example\, Inc.` }) };
    expect([await encrypt(checkout), await encrypt(billing, "invoices")]).toEqual(["200", "200"]);
    expect(await encrypt(checkout, "invoices")).toBe("404 KEY_NOT_FOUND");
    expect(await ask(checkout, "/v1/decrypt", { ciphertext: await admin.seal("orders", "x") })).toBe(
      "403 PERMISSION_DENIED",
    );
    expect((await credentialOf("billing"))["subject"]).toBe(String.raw`O=Example\, Inc.,C=DE`);
  });

  it("that nobody has enrolled is nobody's, and connections without one are as before", async () => {
    const stranger = { certificate: await issue(ours, { subject: "CN=stranger" }) };
    expect([await encrypt(stranger), await encrypt({}), await ask(stranger, "/readyz")]).toEqual([
      UNKNOWN,
      UNKNOWN,
      "200",
    ]);
    expect(outcome(await admin.get("/v1/keys"))).toBe("200");
  });

  it("is not asked where there is an Authorization header, be it good or not", async () => {
    const certificate = await issue(ours, { uris: ["spiffe://example.org/checkout"] });
    const bearing = (authorization: string): Holder => ({ certificate, headers: { authorization } });
    expect(await ask(bearing(`Bearer ${gateway.apiKey}`), "/v1/clients")).toBe("200"); // the admin's, not the client's
    for (const bad of [`Bearer ${gateway.apiKey.slice(0, -1)}x`, "Bearer", "Basic YTpi", ""])
      expect(await encrypt(bearing(bad))).toBe(UNKNOWN);
  });

  it.for([
    { name: "has expired", make: () => issue(ours, { until: now - 60_000 }), reason: "it has expired" },
    { name: "is self-signed", make: () => selfSign(), reason: "it is self-signed" },
    {
      name: "is of an authority outside the bundle",
      make: () => issue(foreign),
      reason: "no authority of the bundle has signed it",
    },
  ])("that $name is refused at TLS: a reason in the log, and none on the wire", async ({ make, reason }) => {
    const certificate = await make();
    const before = gateway.log.length;
    expect(await ask({ certificate, headers: { authorization: `Bearer ${gateway.apiKey}` } }, "/v1/keys")).toBe(
      "no answer",
    );
    const { hostname: host, port } = gateway.address;
    const socket = connect({ ...certificate, host, port: Number(port), ca: gateway.ca });
    const seen: Buffer[] = [];
    socket.on("data", (part: Buffer) => seen.push(part));
    socket.on("error", () => undefined); // a reset ends it too
    socket.write("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "close");
    expect(Buffer.concat(seen).toString()).toBe("");
    const told = await eventually("two refusals in the log", 5000, () => {
      const lines = gateway.log
        .slice(before)
        .split("\n")
        .filter((line) => line.includes("CLIENT_CERTIFICATE_REFUSED"));
      return lines.length === 2 ? lines : undefined;
    });
    for (const line of told)
      expect(JSON.parse(line)).toMatchObject({ msg: `a client certificate is refused: ${reason}` });
  });

  it("is of one client as long as it counts", async () => {
    const { id } = await enrol("first", "CN=one");
    succeeded(await admin.post("/v1/clients", { name: "second" }));
    const take = async (dryRun = ""): Promise<string> =>
      outcome(await admin.post(`/v1/clients/second/credentials${dryRun}`, { kind: "mtls", subject: "cn=one" }));
    expect([await take(), await take("?dryRun=true")]).toEqual(["409 NAME_TAKEN", "409 NAME_TAKEN"]);
    succeeded(await admin.post(`/v1/clients/first/credentials/${String(id)}/revoke`));
    expect([await take("?dryRun=true"), await take()]).toEqual(["200", "201"]);
  });

  it.for([
    { kind: "mtls" },
    { kind: "mtls", subject: "nobody" },
    { kind: "mtls", subject: "spiffe://EXAMPLE.org/a" },
    { kind: "api-key", subject: "CN=a" },
    { kind: "oidc" },
    { kind: "api-key", overlapSeconds: -1 },
  ])("is refused where the request is not one: %j", async (body) => {
    expect(outcome(await admin.post("/v1/clients/second/credentials", body))).toBe("400 INVALID_ARGUMENT");
  });
});

describe("a credential", () => {
  it("stops with its revocation, also on a connection that is open", async () => {
    const { id } = await enrol("leaver", "CN=leaver");
    const agent = new Agent({ keepAlive: true });
    const leaver = { certificate: await issue(ours, { subject: "CN=leaver" }), agent };
    expect(await encrypt(leaver)).toBe("200");
    expect(succeeded(await admin.post(`/v1/clients/leaver/credentials/${String(id)}/revoke`))["state"]).toBe("revoked");
    expect(await encrypt(leaver)).toBe(UNKNOWN);
    agent.destroy();
  });

  it("ends after the overlap when another takes its place", async () => {
    succeeded(await admin.post("/v1/clients", { name: "rotated", allow: ["*"] }));
    const give = async (body: object): Promise<Record<string, unknown>> =>
      succeeded(await admin.post("/v1/clients/rotated/credentials", body));
    const first = await give({ kind: "api-key" });
    const soon = new Date(now + 600_000).toISOString();
    const brief = await give({ kind: "api-key", expireTime: soon });
    const certificate = await give({ kind: "mtls", subject: "CN=rotated" });
    const second = await give({ kind: "api-key", overlapSeconds: 3600 });
    const { credentials } = succeeded(await admin.get("/v1/clients/rotated"));
    const ends = Object.fromEntries(
      (credentials as readonly Record<string, unknown>[]).map(({ id, expireTime }) => [id, expireTime]),
    );
    const after = new Date(Date.parse(String(second["createTime"])) + 3_600_000).toISOString();
    expect(ends).toEqual({
      [String(first["id"])]: after,
      [String(brief["id"])]: soon, // who ends before stays as it is
      [String(certificate["id"])]: null, // another kind
      [String(second["id"])]: null,
    });
    const use = async (made: Record<string, unknown>): Promise<string> =>
      await new Person(gateway, { apiKey: String(made["secret"]) }).tries("orders");
    expect([await use(first), await use(second)]).toEqual(["200", "200"]);
    const third = await give({ kind: "api-key", overlapSeconds: 0 });
    expect([await use(first), await use(brief), await use(second), await use(third)]).toEqual([
      UNKNOWN,
      UNKNOWN,
      UNKNOWN,
      "200",
    ]);
    expect(await encrypt({ certificate: await issue(ours, { subject: "CN=rotated" }) })).toBe("200");
  });

  it("says in which hour it was used last", async () => {
    await enrol("seldom", "CN=seldom");
    expect((await credentialOf("seldom"))["lastUseTime"]).toBeNull();
    await encrypt({ certificate: await issue(ours, { subject: "CN=seldom" }) });
    const { lastUseTime } = await credentialOf("seldom");
    expect(String(lastUseTime)).toMatch(/T\d\d:00:00\.000Z$/u);
    expect(Math.abs(Date.parse(String(lastUseTime)) - Date.now())).toBeLessThan(7_200_000);
  });
});

describe("a person", () => {
  const bob = "CN=Bob,O=Example";
  let payments: Person;
  let certificate: ClientCertificate;
  const resume = async (holder: Holder): Promise<string> =>
    await ask({ ...holder, headers: { ...holder.headers, "claviger-namespace": "payments" } }, "/v1/keys/card/resume", {
      reason: "the alarm was false",
    });
  beforeAll(async () => {
    succeeded(await admin.post("/v1/namespaces", { name: "payments" }));
    payments = new Person(gateway, { namespace: "payments" });
    await payments.make("card");
    await enrol("bob", bob, { role: "admin" }, payments);
    certificate = await issue(ours, { subject: "O=Example, CN=Bob" });
  });

  it("is the holder of a certificate, and undoes with dual control what another has stopped", async () => {
    expect((await payments.get("/v1/clients/bob")).json["person"]).toBe(bob);
    succeeded(await payments.post("/v1/keys/card/suspend", { reason: "hold" }));
    expect(outcome(await payments.post("/v1/keys/card/resume", { reason: "x" }))).toBe("403 SEPARATION_OF_DUTIES");
    expect(await resume({ certificate })).toBe("200");
    const { items } = succeeded(await payments.get("/v1/keys/card/history"));
    const actors = (items as readonly Record<string, unknown>[]).map(({ action, actor }) => [action, actor]);
    expect(actors.slice(-2)).toEqual([
      ["suspend", "admin"],
      ["resume", bob],
    ]);
  });

  it("is nobody else by a key for somebody else's client", async () => {
    succeeded(await payments.post("/v1/clients", { name: "of-admin", role: "admin" }));
    const made = async (holder: Holder, client: string): Promise<string> => {
      const { secret } = await new Promise<Record<string, string>>((resolve, reject) => {
        const options = { ...holder.certificate, ca: gateway.ca, agent: false, method: "POST" } as const;
        const headers = { "content-type": "application/json", ...holder.headers };
        const sent = request(new URL(`/v1/clients/${client}/credentials`, gateway.address), { ...options, headers });
        sent.on("response", (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("end", () => resolve(JSON.parse(text) as Record<string, string>));
        });
        sent.on("error", reject).end(JSON.stringify({ kind: "api-key" }));
      });
      return `Bearer ${secret}`;
    };
    const bobsKeyForAdmin = await made({ certificate }, "of-admin");
    const adminsKeyForBob = await made(
      { headers: { authorization: `Bearer ${gateway.apiKey}`, "claviger-namespace": "payments" } },
      "bob",
    );
    const suspend = { reason: "hold" };
    expect(await ask({ certificate }, "/v1/keys/card/suspend", suspend)).toBe("200"); // Bob stops it
    expect(await resume({ headers: { authorization: bobsKeyForAdmin } })).toBe("403 SEPARATION_OF_DUTIES");
    expect(await resume({ headers: { authorization: adminsKeyForBob } })).toBe("200"); // which is the admin's doing
  });
});

describe("the command", () => {
  const claviger = async (argv: readonly string[], environment: Record<string, string> = {}): Promise<Ran> =>
    await run(argv, {
      cwd: folder,
      sources: { now: () => Date.now(), uuid: () => crypto.randomUUID(), pause: async () => await Promise.resolve() },
      environment: {
        CLAVIGER_ADDR: gateway.address.origin,
        CLAVIGER_CACERT: join(folder, "ca.pem"),
        ...(environment["CLAVIGER_CLIENT_CERT"] === undefined && { CLAVIGER_API_KEY: gateway.apiKey }),
        ...environment,
      },
    });

  it("presents a certificate", async () => {
    expect((await claviger(["clients", "create", "cli", "--allow", "encrypt", "--subject", "CN=cli"])).code).toBe(0);
    const { cert, key } = await issue(ours, { subject: "CN=cli" });
    await put("cli.pem", cert);
    await put("cli-key.pem", key);
    const environment = { CLAVIGER_CLIENT_CERT: "cli.pem", CLAVIGER_CLIENT_KEY: "cli-key.pem" };
    expect((await claviger(["keys", "-o", "name"], environment)).stdout).toBe("orders\ninvoices\n");
  });

  it("is told where to look when its certificate is refused", async () => {
    const { cert, key } = await issue(foreign, { subject: "CN=cli" });
    await put("foreign.pem", cert);
    await put("foreign-key.pem", key);
    const environment = { CLAVIGER_CLIENT_CERT: "foreign.pem", CLAVIGER_CLIENT_KEY: "foreign-key.pem" };
    const ran = await claviger(["keys"], environment);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("CLIENT_CERTIFICATE_REFUSED") as string });
  });

  it("says which rule lets a client use a key or not", async () => {
    const can = async (...words: string[]): Promise<readonly [number, string]> => {
      const { code, stdout } = await claviger(["clients", "can", ...words]);
      return [code, stdout];
    };
    const bound = { keys: ["orders"], allow: ["encrypt"], contextEquals: { tenant: "a" } };
    await enrol("asked", "CN=asked", bound);
    expect(await can("asked", "encrypt", "orders")).toEqual([
      0,
      "yes: its keys have orders, and its allow has encrypt, where its context has tenant=a (granted)\n",
    ]);
    expect(await can("asked", "decrypt", "orders")).toEqual([
      1,
      "no: its allow (encrypt) does not have decrypt (allow, PERMISSION_DENIED)\n",
    ]);
    expect(await can("asked", "encrypt", "invoices")).toEqual([
      1,
      "no: its keys (orders) do not name invoices (keys, KEY_NOT_FOUND)\n",
    ]);
    expect(await can("asked", "encrypt", "orders", "--context", "tenant=b")).toEqual([
      1,
      "no: the context lacks tenant=a (context-equals, PERMISSION_DENIED)\n",
    ]);
    expect((await can("nobody", "encrypt", "orders"))[0]).toBe(1);
  });

  it("makes the clients of a file, again what is missing, and never what is there", async () => {
    const entry = (name: string, rest: string): string =>
      `- { name: ${name}, role: user, keys: [orders], allow: [encrypt], ${rest} }\n`;
    const file = (count: number): string =>
      Array.from({ length: count }, (_, n) =>
        n % 2 === 0
          ? entry(`service-${n}`, "credential: api-key")
          : entry(`service-${n}`, `credential: mtls, subject: "spiffe://example.org/service-${n}"`),
      ).join("");
    const create = async (text: string): Promise<{ readonly code: number; readonly rows: readonly string[] }> => {
      await put("services.yaml", text);
      const argv = ["clients", "create", "--from", "services.yaml", "--out", "secrets", "-o", "json"];
      const { code, stdout } = await claviger(argv);
      const rows = JSON.parse(stdout) as readonly Record<string, unknown>[];
      return { code, rows: rows.map(({ name, result }) => `${String(name)} ${String(result)}`) };
    };
    expect(await create(file(3))).toEqual({
      code: 0,
      rows: ["service-0 created", "service-1 created", "service-2 created"],
    });
    expect(await readdir(join(folder, "secrets"))).toEqual(["service-0.key", "service-2.key"]);
    expect((await stat(join(folder, "secrets/service-0.key"))).mode & 0o777).toBe(0o600);
    const keyFile = { CLAVIGER_API_KEY_FILE: "secrets/service-0.key", CLAVIGER_API_KEY: "" };
    expect((await claviger(["keys", "-o", "name"], keyFile)).stdout).toBe("orders\n");
    expect(await encrypt({ certificate: await issue(ours, { uris: ["spiffe://example.org/service-1"] }) })).toBe("200");
    const secret = await readFile(join(folder, "secrets/service-0.key"), "utf8");
    expect((await create(file(4))).rows).toEqual([
      "service-0 unchanged",
      "service-1 unchanged",
      "service-2 unchanged",
      "service-3 created",
    ]);
    expect(await readFile(join(folder, "secrets/service-0.key"), "utf8")).toBe(secret);
    expect(await create(file(1).replace("[encrypt]", "[encrypt, decrypt]"))).toEqual({
      code: 4,
      rows: ["service-0 differs"],
    });
  });
});

describe("the files of the listener", () => {
  const serial = async (): Promise<string> => {
    const { hostname: host, port } = gateway.address;
    const socket = connect({ host, port: Number(port), ca: gateway.ca });
    await once(socket, "secureConnect");
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const logged = async (text: string, since: number): Promise<void> => {
    await eventually(`${text} in the log`, 10_000, () => gateway.log.slice(since).includes(text) || undefined);
  };

  it("are taken when they change, or when the process is told to, and never when they are broken", async () => {
    const [before, start] = [await serial(), gateway.log.length];
    await putServerCertificate();
    process.kill(gateway.pid, "SIGHUP");
    await logged("were read again", start);
    const after = await serial();
    expect(after).not.toBe(before);
    const broken = gateway.log.length;
    await put("server.pem", "no certificate");
    await logged("TLS_NOT_RELOADED", broken); // nobody has told it
    expect([await serial(), outcome(await admin.get("/readyz"))]).toEqual([after, "200"]);
    await putServerCertificate();
    await eventually("another certificate", 10_000, async () => ((await serial()) === after ? undefined : true));
  });

  it("say whose client certificates are taken", async () => {
    const holder = { certificate: await issue(foreign, { uris: ["spiffe://example.org/checkout"] }) };
    expect(await encrypt(holder)).toBe("no answer");
    const start = gateway.log.length;
    await put("clients.pem", `${foreign.certificate}\n`);
    process.kill(gateway.pid, "SIGHUP");
    await logged("were read again", start);
    expect(await encrypt(holder)).toBe("200");
    expect(await encrypt({ certificate: await issue(ours, { uris: ["spiffe://example.org/checkout"] }) })).toBe(
      "no answer",
    );
  });
});
