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

const claviger = async (argv: readonly string[], stdin: string | Buffer | readonly Buffer[]): Promise<Ran> =>
  await run(["reencrypt", "--to", "new", ...argv], { environment: { CLAVIGER_ADDR: stub.address }, stdin });
type Sent = {
  readonly items: readonly { readonly ciphertext: string; readonly context?: object; readonly sourceKey?: string }[];
};
const sent = (): readonly Sent[] => stub.seen.map(({ body }) => JSON.parse(body) as Sent);
const done = (ciphertext: string): object => ({ ciphertext, changed: true });
const failed = { error: { code: "CIPHERTEXT_INVALID", status: 400, retry: "never", detail: "it cannot be opened" } };
const batch = (...items: object[]): { status: number; body: object } => ({ status: 207, body: { items, failed: 0 } });

it("one ciphertext is exchanged for another", async () => {
  stub.answer({ body: { ciphertext: "clv1.new", sourceKeyVersion: 1 } });
  expect(await claviger(["--key", "old", "--context", "a=b"], "clv1.old\n")).toMatchObject({
    code: 0,
    stdout: "clv1.new\n",
  });
  expect(stub.seen[0]).toMatchObject({
    url: "/v1/keys/new/reencrypt",
    body: '{"ciphertext":"clv1.old","sourceKey":"old","context":{"a":"b"}}',
  });
});

describe("with --lines", () => {
  beforeEach(() => {
    stub.answer(batch(done("clv1.A"), done("clv1.B")));
  });

  it("each line is exchanged, in order", async () => {
    expect(await claviger(["--lines", "--key", "old"], "clv1.a\nclv1.b\n")).toMatchObject({
      code: 0,
      stdout: "clv1.A\nclv1.B\n",
      stderr: "",
    });
    expect(sent()).toEqual([
      {
        items: [
          { ciphertext: "clv1.a", sourceKey: "old" },
          { ciphertext: "clv1.b", sourceKey: "old" },
        ],
      },
    ]);
  });

  it("what is around a line stays: carriage returns, empty lines, the missing end", async () => {
    expect((await claviger(["--lines"], "clv1.a\r\n\n  clv1.b")).stdout).toBe("clv1.A\r\n\n  clv1.B");
  });

  it("a line may come in pieces", async () => {
    const pieces = ["clv", "1.a\ncl", "v1", ".b", "\n"].map((piece) => Buffer.from(piece));
    expect((await claviger(["--lines"], pieces)).stdout).toBe("clv1.A\nclv1.B\n");
  });

  it("a line that fails is written as it was and told, and the command ends with 4", async () => {
    stub.answer(batch(failed, done("clv1.B")));
    const ran = await claviger(["--lines"], "clv1.a\nclv1.b\n");
    expect(ran).toMatchObject({ code: 4, stdout: "clv1.a\nclv1.B\n" });
    expect(ran.stderr).toMatch(
      /^line 1 is unchanged: CIPHERTEXT_INVALID: it cannot be opened\nclaviger reencrypt: 1 of 2 lines were not re-encrypted\n/u,
    );
  });

  it("a line that is no text is written as it was, byte for byte, and not sent", async () => {
    stub.answer(batch(done("clv1.B")));
    const line = Buffer.from([0xff, 0xfe, 0x0a]);
    const ran = await claviger(["--lines"], [line, Buffer.from("clv1.b\n")]);
    expect(ran.bytes).toEqual(Buffer.concat([line, Buffer.from("clv1.B\n")]));
    expect([ran.code, sent()]).toEqual([4, [{ items: [{ ciphertext: "clv1.b" }] }]]);
  });

  it("nothing is asked where there is nothing to do", async () => {
    expect(await claviger(["--lines"], "")).toMatchObject({ code: 0, stdout: "" });
    expect(await claviger(["--lines"], "\n\n")).toMatchObject({ code: 0, stdout: "\n\n" });
    expect(stub.seen).toEqual([]);
  });

  it("many lines are several batches, none beyond its bounds", async () => {
    stub.answer(
      batch(...Array.from({ length: 500 }, () => done("clv1.X"))),
      batch(...Array.from({ length: 2 }, () => done("clv1.Y"))),
    );
    const { stdout } = await claviger(["--lines"], "clv1.a\n".repeat(502));
    expect(sent().map(({ items }) => items.length)).toEqual([500, 2]);
    expect(stdout).toBe("clv1.X\n".repeat(500) + "clv1.Y\n".repeat(2));
    stub.answer(batch(done("clv1.X")));
    await claviger(["--lines"], `clv1.${"a".repeat(200_000)}\n`.repeat(3));
    expect(sent().map(({ items }) => items.length)).toEqual([1, 1, 1]);
  });

  it("a batch that is refused ends the command; what was done before it is written", async () => {
    const refusal = { status: 503, body: { code: "NO_PROVIDER", title: "none", detail: "none", retry: "later" } };
    stub.answer(batch(...Array.from({ length: 500 }, () => done("clv1.X"))), refusal);
    const ran = await claviger(["--lines"], "clv1.a\n".repeat(501));
    expect(ran).toMatchObject({ code: 3, stdout: "clv1.X\n".repeat(500) });
  });

  it("an answer that does not fit the request is not written", async () => {
    stub.answer(batch(done("clv1.A")));
    expect(await claviger(["--lines"], "clv1.a\nclv1.b\n")).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("with --field", () => {
  it("the member is exchanged, and the rest of the line stays", async () => {
    stub.answer(batch(done("clv1.A")));
    const { stdout } = await claviger(
      ["--field", "card"],
      '{ "id": 12345678901234567890, "card" : "clv1.a", "x":[ 1.0 ] }\n',
    );
    expect(stdout).toBe('{ "id": 12345678901234567890, "card" : "clv1.A", "x":[ 1.0 ] }\n');
    expect(sent()).toEqual([{ items: [{ ciphertext: "clv1.a" }] }]);
  });

  it("members are filled into the context, numbers as they are written", async () => {
    stub.answer(batch(done("clv1.A")));
    const argv = ["--field", "c", "--context", "row={id}/{name}", "--context", "app=shop"];
    await claviger(argv, '{"id":12345678901234567890,"name":"a{id}","c":"clv1.a"}');
    expect(sent()[0]?.items[0]?.context).toEqual({ row: "12345678901234567890/a{id}", app: "shop" });
  });

  it.for([
    { line: "not json", why: "it is not one JSON object" },
    { line: '{"c":"clv1.a","c":"clv1.b"}', why: "with distinct members" },
    { line: '{"d":1}', why: 'it has no member "c"' },
    { line: '{"c":1}', why: 'its member "c" is not a string' },
    { line: '{"c":"clv1.a","id":null}', why: "names a member that is not there" },
    { line: '{"c":"clv1.a"}', why: "names a member that is not there" },
  ])("the line $line is not sent: $why", async ({ line, why }) => {
    stub.answer({});
    const ran = await claviger(["--field", "c", "--context", "row={id}"], `${line}\n`);
    expect(ran).toMatchObject({ code: 4, stdout: `${line}\n` });
    expect(ran.stderr).toContain(why);
    expect(stub.seen).toEqual([]);
  });
});
