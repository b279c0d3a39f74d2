import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StatusReport, statusReport } from "#cli/status-report.ts";
import { run } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

const UP = { name: "a", status: "up", keysServedOnlyHere: 0, missingWraps: 0, drained: null, gateways: [] };
const KEY = { name: "k", hold: null, replication: { wanted: 2, ready: 2, minimum: 1 } };
const report = (facts: { providers?: object[]; keys?: object[]; readiness?: object }): StatusReport =>
  statusReport({
    readiness: { ready: true, ...facts.readiness },
    providers: (facts.providers ?? [UP]) as Record<string, unknown>[],
    keys: (facts.keys ?? [KEY]) as Record<string, unknown>[],
  });

describe("a report", () => {
  it("of what is well has nothing to tell", () => {
    expect(report({})).toEqual({ ready: true, providers: 1, keys: 1, broken: [], hurt: [], doing: [] });
  });

  it("tells why a gateway is not ready", () => {
    expect(report({ readiness: { ready: false, because: ["catalog-stale", "sealed"] } }).broken).toEqual([
      { subject: "gateway", detail: "not ready: catalog-stale, sealed" },
    ]);
  });

  it.for(["down", "degraded", "misconfigured", "something-new"])(
    "names a provider that is %s, with what it last said",
    (status) => {
      const provider = {
        ...UP,
        status,
        lastSuccessTime: "2026-11-24T00:00:00.000Z",
        lastFailure: { detail: "connection refused" },
      };
      expect(report({ providers: [provider] }).broken).toEqual([
        { subject: "a", detail: `${status}; connection refused; last success 2026-11-24T00:00:00.000Z` },
      ]);
    },
  );

  it("tells of a drained provider what a person does, and not that it is broken", () => {
    const drained = { by: "ops", time: "T", reason: "patching" };
    const { broken, doing } = report({ providers: [{ ...UP, status: "drained", drained }] });
    expect([broken, doing]).toEqual([[], [{ subject: "a", detail: "drained by ops since T: patching" }]]);
  });

  it("tells when a provider is tried again: the first moment of any gateway", () => {
    const gateways = [
      { data: { state: "open", nextProbeTime: "2026-11-24T00:00:09.000Z" } },
      { data: { state: "open", nextProbeTime: "2026-11-24T00:00:05.000Z" } },
      { data: { state: "closed", nextProbeTime: "2026-11-24T00:00:01.000Z" } },
    ];
    expect(report({ providers: [{ ...UP, status: "down", gateways }] }).doing).toEqual([
      { subject: "a", detail: "probed again at 2026-11-24T00:00:05.000Z" },
    ]);
  });

  it("tells of keys that only a broken provider holds; with one that is up they are not hurt", () => {
    expect(report({ providers: [{ ...UP, keysServedOnlyHere: 3 }] }).hurt).toEqual([]);
    expect(report({ providers: [{ ...UP, status: "down", keysServedOnlyHere: 3 }] }).hurt).toEqual([
      { subject: "3 keys only with a", detail: "npx claviger keys --served-only-by a" },
    ]);
  });

  it("tells of keys that are held, below their minimum, or short of copies", () => {
    const keys = [
      { ...KEY, name: "held", hold: { class: "unsealed" } },
      { ...KEY, name: "short", replication: { wanted: 3, ready: 1, minimum: 2 } },
      { ...KEY, name: "thin", replication: { wanted: 3, ready: 2, minimum: 2 } },
      KEY,
    ];
    expect(report({ keys }).hurt).toEqual([
      { subject: "1 key held until a person decides", detail: "held" },
      { subject: "1 key held by fewer providers than their minimum", detail: "short" },
      { subject: "1 key held by fewer providers than they should be", detail: "thin" },
    ]);
  });

  it("names some keys of many", () => {
    const keys = Array.from({ length: 7 }, (_, index) => ({ ...KEY, name: `k${index}`, hold: {} }));
    expect(report({ keys }).hurt).toEqual([
      { subject: "7 keys held until a person decides", detail: "k0, k1, k2, k3, k4 and 2 more" },
    ]);
  });
});

describe("the command", () => {
  let stub: Stub;
  beforeAll(async () => {
    stub = await startStub();
  });
  afterAll(async () => {
    await stub[Symbol.asyncDispose]();
  });
  const list = (...items: object[]): { body: object } => ({ body: { items, nextCursor: null } });

  it("is one screen, and ends with 3 while the gateway is not ready", async () => {
    stub.answer(
      { status: 503, body: { ready: false, because: ["sealed"] } },
      list({ ...UP, status: "down", missingWraps: 2 }),
      list(KEY),
    );
    const ran = await run(["status"], { environment: { CLAVIGER_ADDR: stub.address } });
    expect(ran.stdout).toBe(
      `${stub.address} is not ready; providers: 1, keys: 1\n\nBROKEN\n  gateway  not ready: sealed\n  a        down\n\nHURT\n  nothing\n\n` +
        "BEING DONE\n  a  2 wraps are made up for as soon as it answers\n",
    );
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("NOT_READY") as string });
  });

  it("gives the report as data", async () => {
    stub.answer({ body: { ready: true } }, list(UP), list(KEY));
    const ran = await run(["status", "-o", "json"], { environment: { CLAVIGER_ADDR: stub.address } });
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([0, report({})]);
  });
});
