import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fixedSources, run, type RunOptions } from "./run.ts";
import { startStub, type Stub } from "./stub.ts";

let stub: Stub;
beforeAll(async () => {
  stub = await startStub();
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
});
const list = (...names: string[]): { body: object } => ({
  body: { items: names.map((name) => ({ name, status: "down" })), nextCursor: null },
});
beforeEach(() => {
  stub.answer(list("a"));
});
const environment = (): Record<string, string> => ({ CLAVIGER_ADDR: stub.address });

describe("the format", () => {
  it.for(["table", "json", "yaml", "name"])("%s is the same on a terminal, colours apart", async (format) => {
    const argv = ["providers", "-o", format];
    const piped = await run(argv, { environment: environment() });
    const isTty = { stdin: true, stdout: true, stderr: true };
    const seen = await run(argv, { environment: { ...environment(), NO_COLOR: "1" }, isTty });
    const coloured = await run(argv, { environment: environment(), isTty });
    expect(seen.stdout).toBe(piped.stdout);
    expect(stripVTControlCharacters(coloured.stdout)).toBe(piped.stdout);
    expect(coloured.stdout.includes("\u001b[31mdown")).toBe(format === "table");
  });
});

/** Ends a command after so many pauses, and shows the gateway something else in each. */
function stopping(pauses: number, each: () => void = () => undefined): RunOptions {
  const controller = new AbortController();
  let left = pauses;
  const pause = async (): Promise<void> => {
    left -= 1;
    if (left === 0) controller.abort();
    each();
    await Promise.resolve();
  };
  return { environment: environment(), signal: controller.signal, sources: { ...fixedSources(), pause } };
}

describe("--watch", () => {
  it("shows again until the user ends it, which is no failure", async () => {
    stub.answer(list("a"), list("b"));
    expect(await run(["providers", "--watch", "-o", "name"], stopping(2))).toMatchObject({
      code: 0,
      stdout: "a\n\nb\n",
      stderr: "",
    });
  });

  it("stands in one place on a terminal", async () => {
    const isTty = { stdin: true, stdout: true, stderr: true };
    const ran = await run(["providers", "--watch", "-o", "name"], { ...stopping(2), isTty });
    expect(ran.stdout).toBe("a\n\u001b[2J\u001b[Ha\n");
  });

  it("ends with what ended it, if that was not the user", async () => {
    stub.answer(list("a"), { status: 503, body: { code: "SHUTTING_DOWN", title: "t", detail: "d", retry: "later" } });
    expect(await run(["providers", "--watch"], stopping(5))).toMatchObject({ code: 3 });
  });
});

describe("audit tail -f", () => {
  const event = (sequence: number, second: number): object => ({
    process: "p",
    sequence,
    time: new Date(Date.UTC(2026, 10, 24, 0, 0, second)).toISOString(),
    operation: `op-${sequence}`,
  });
  const page = (...items: object[]): { body: object } => ({ body: { items, nextCursor: null } });

  it("shows the latest, the newest last, then each event once, late ones too", async () => {
    stub.answer(
      page(event(3, 3), event(2, 2)),
      page(event(3, 3), event(2, 2)),
      page(event(5, 5), event(4, 1), event(3, 3), event(2, 2)),
      page(event(5, 5)),
    );
    const ran = await run(["audit", "tail", "-f", "-n", "2", "-o", "json"], stopping(4));
    expect(ran.code).toBe(0);
    const operations = ran.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { operation: string }).operation);
    expect(operations).toEqual(["op-2", "op-3", "op-4", "op-5"]);
    expect(stub.seen[1]?.url).toContain("since=2026-11-23T23%3A59%3A53.000Z");
  });

  it("has headings once", async () => {
    stub.answer(page(), page(event(1, 1)), page(event(2, 2), event(1, 1)));
    const { stdout } = await run(["audit", "tail", "-f"], stopping(3));
    expect(stdout.match(/OPERATION/gu)).toHaveLength(1);
    expect(stdout).toMatch(/op-1[\s\S]*op-2/u);
  });

  it("takes no more than was asked for from many pages", async () => {
    stub.answer(
      { body: { items: [event(3, 3), event(2, 2)], nextCursor: "more" } },
      { body: { items: [event(1, 1), event(0, 0)], nextCursor: "more" } },
    );
    const ran = await run(["audit", "list", "--limit", "3", "-o", "yaml"], { environment: environment() });
    expect(ran.stdout.match(/op-\d/gu)).toEqual(["op-1", "op-2", "op-3"]);
    expect(stub.seen).toHaveLength(2);
  });
});

it("a reader that has seen enough ends the command in silence", async () => {
  const closed = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error("closed"), { code: "EPIPE" }));
    },
  });
  expect(await run(["providers"], { environment: environment(), stdout: closed })).toMatchObject({
    code: 0,
    stderr: "",
  });
});

it("a stdout that cannot be written is a failure", async () => {
  const full = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
    },
  });
  expect(await run(["providers"], { environment: environment(), stdout: full })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("ENOSPC") as string,
  });
});
