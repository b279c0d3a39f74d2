import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Finding } from "#cli/offline-commands.ts";
import { type Ran, run, type RunOptions } from "./run.ts";
import { startStub, type Stub, type StubAnswer } from "./stub.ts";

let stub: Stub;
let cwd: string;
beforeAll(async () => {
  stub = await startStub();
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
});
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "claviger-doctor-"));
});
afterEach(async () => {
  await rm(cwd, { recursive: true });
});

const list = (...items: object[]): StubAnswer => ({ body: { items, nextCursor: null } });
const PROVIDER = { name: "a", status: "up", failureDomain: "x", statusReason: null };
type Gateway = { readiness?: StubAnswer; providers?: StubAnswer; keys?: StubAnswer; namespaces?: StubAnswer };

async function doctor(
  gateway: Gateway,
  options: RunOptions & { argv?: readonly string[] } = {},
): Promise<Ran & { findings: readonly Finding[] }> {
  const {
    readiness = { body: { ready: true } },
    providers = list(PROVIDER, { ...PROVIDER, name: "b", failureDomain: "y" }),
  } = gateway;
  const { keys = list(), namespaces = list() } = gateway;
  stub.answer(readiness, providers, keys, namespaces);
  const { argv = [], ...rest } = options;
  const ran = await run(["doctor", "-o", "json", ...argv], {
    environment: { CLAVIGER_ADDR: stub.address },
    cwd,
    ...rest,
  });
  return { ...ran, findings: JSON.parse(ran.stdout) as readonly Finding[] };
}

const about = (findings: readonly Finding[], check: string): readonly Finding[] =>
  findings.filter((finding) => finding.check === check);

it("what is well ends with 0", async () => {
  const { code, findings } = await doctor({});
  expect([code, new Set(findings.map(({ result }) => result))]).toEqual([0, new Set(["ok"])]);
});

it.for([
  {
    name: "a gateway that is not ready",
    gateway: { readiness: { status: 503, body: { ready: false, because: ["sealed"] } } },
    check: "gateway",
    result: "fail",
  },
  {
    name: "a provider that is down",
    gateway: { providers: list({ ...PROVIDER, status: "down" }) },
    check: "provider a",
    result: "fail",
  },
  {
    name: "a drained provider",
    gateway: { providers: list({ ...PROVIDER, status: "drained" }) },
    check: "provider a",
    result: "nag",
  },
  {
    name: "one failure domain",
    gateway: { providers: list(PROVIDER, { ...PROVIDER, name: "b" }) },
    check: "failure domains",
    result: "nag",
  },
  {
    name: "a key that one holder is enough for",
    gateway: {
      keys: list({
        name: "k",
        custody: { minimum: 1, holders: ["a"] },
        hold: null,
        replication: { wanted: 1, ready: 1, minimum: 1 },
      }),
    },
    check: "keys",
    result: "nag",
  },
  {
    name: "a key below its minimum",
    gateway: {
      keys: list({
        name: "k",
        custody: { minimum: 2, holders: ["a", "b"] },
        hold: null,
        replication: { wanted: 2, ready: 1, minimum: 2 },
      }),
    },
    check: "keys",
    result: "fail",
  },
  {
    name: "a namespace in which one person loosens",
    gateway: { namespaces: list({ name: "default", dualControl: false }) },
    check: "namespace default",
    result: "nag",
  },
])("$name is a $result", async ({ gateway, check, result }) => {
  const { code, findings } = await doctor(gateway);
  expect(about(findings, check).map((finding) => finding.result)).toContain(result);
  expect(code).toBe(result === "fail" ? 1 : 0);
});

it("a client file that others may read is told of before anything is asked with it", async () => {
  await mkdir(join(cwd, "data"));
  const file = join(cwd, "data/client.json");
  await writeFile(file, JSON.stringify({ address: stub.address, apiKey: "clv_sk_x" }));
  await chmod(file, 0o644);
  const { code, findings } = await doctor({});
  expect([code, about(findings, "client file")]).toEqual([
    1,
    [{ check: "client file", result: "fail", detail: expect.stringContaining("0644") as string }],
  ]);
});

it("no gateway is worth a word, and the rest is looked at", async () => {
  const offline = {
    doctor: async () => await Promise.resolve([{ check: "configuration", result: "ok", detail: "x" }] as const),
  };
  const { code, findings } = await doctor({}, { environment: {}, offline });
  expect([code, findings.map(({ check, result }) => `${check} ${result}`)]).toEqual([
    0,
    ["configuration ok", "gateway nag"],
  ]);
});

it("a gateway that refuses us is a failure", async () => {
  const refusal = { status: 403, body: { code: "PERMISSION_DENIED", title: "no", detail: "no", retry: "never" } };
  expect((await doctor({ providers: refusal })).code).toBe(1);
});

it("what runs counts for more than what is written down", async () => {
  const findings = [
    { check: "failure domains", result: "nag", detail: "written" } as const,
    { check: "journal", result: "nag", detail: "written" } as const,
  ];
  const ran = await doctor({}, { offline: { doctor: async () => await Promise.resolve(findings) } });
  expect(about(ran.findings, "failure domains")).toEqual([{ check: "failure domains", result: "ok", detail: "x, y" }]);
  expect(about(ran.findings, "journal")).toHaveLength(1);
});

it("a named provider is probed, and looked at in the configuration", async () => {
  const asked: unknown[] = [];
  stub.answer(
    { body: { name: "a", status: "down", statusReason: "refused" } },
    { body: { ready: true } },
    list(PROVIDER),
    list(),
    list(),
  );
  const offline = {
    doctor: async (options: unknown) => {
      asked.push(options);
      return await Promise.resolve([]);
    },
  };
  const ran = await run(["doctor", "a", "--config", "c.yaml"], {
    environment: { CLAVIGER_ADDR: stub.address },
    cwd,
    offline,
  });
  expect([ran.code, stub.seen[0]?.url, asked]).toEqual([
    1,
    "/v1/providers/a/probe",
    [{ config: "c.yaml", data: "data", provider: "a" }],
  ]);
  expect(ran.stdout).toMatch(/fail +probe of a +down: refused/u);
});
