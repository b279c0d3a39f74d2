import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "#core/context.ts";
import { KmsError } from "#core/errors.ts";
import { writeHeader } from "#envelope/header.ts";
import { decodeText, encodeText } from "#envelope/text.ts";
import { openOffline, type OpenOptions } from "#offline/open.ts";
import { KEY, OTHER_ID } from "../../unit/envelope/fixtures.ts";
import { branchEntry } from "../../unit/envelope/journal-entries.ts";
import { ciphertextOf, JournalFixture } from "./journal-fixture.ts";

const host = { environment: {}, readText: () => "" };
const CONTEXT: Context = { kind: "map", pairs: new Map([["tenant", "42"]]) };
const PLAINTEXT = Buffer.from([0, 1, 255, 10]);

let fixture: JournalFixture;
let journal: string;
beforeAll(async () => {
  fixture = await JournalFixture.create();
  journal = await readFile(fixture.journal, "utf8");
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await writeFile(fixture.journal, journal);
});

const open = async (options: Partial<OpenOptions> = {}): Promise<Buffer> =>
  await openOffline(
    {
      ciphertext: ciphertextOf(PLAINTEXT, CONTEXT),
      journal: fixture.journal,
      provider: "hsm-a",
      context: { tenant: "42" },
      ...options,
    },
    host,
  );
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(
    () => "opened",
    (error: unknown) => (error instanceof KmsError ? error.code : String(error)),
  );

describe("a ciphertext opens without a gateway and without its database", () => {
  it.for(["hsm-a", "hsm-b"])("through %s alone", async (provider) => {
    expect(await open({ provider })).toEqual(PLAINTEXT);
  });

  it("when it is long, too", async () => {
    const long = Buffer.alloc(200_000, 7);
    expect((await open({ ciphertext: ciphertextOf(long, CONTEXT) })).equals(long)).toBe(true);
  });

  it("when the provider has another name by now", async () => {
    const config = join(fixture.folder, "config.yaml");
    await writeFile(config, "providers:\n  renamed: { kind: local-hsm, folder: hsm-b }\n");
    expect(await open({ config, provider: "renamed" })).toEqual(PLAINTEXT);
  });

  it("when the last line of the journal was never finished", async () => {
    await appendFile(fixture.journal, '{"type":"ver');
    expect(await open()).toEqual(PLAINTEXT);
  });

  it("when lines of the journal were edited or cut, and told again behind them", async () => {
    const broken = journal.replaceAll('"rootVersion":1', '"rootVersion": 1');
    await writeFile(fixture.journal, `${broken}${journal.slice(0, 40)}\n\n${journal}`);
    expect(await open()).toEqual(PLAINTEXT);
  });

  it("when somebody added lines that claim another seal, or another wrap", async () => {
    const planted = Buffer.alloc(32, 9);
    const entries = [await fixture.wrapBy("hsm-a", OTHER_ID, planted), fixture.version(planted)];
    const before = journal;
    await fixture.writeJournal(entries);
    await writeFile(fixture.journal, before + (await readFile(fixture.journal, "utf8")));
    expect(await open({ provider: "hsm-b" })).toEqual(PLAINTEXT);
  });
});

describe("a ciphertext does not open", () => {
  it("in another context", async () => {
    expect(await codeOf(open({ context: {} }))).toBe("CIPHERTEXT_INVALID");
    expect(await codeOf(open({ context: { tenant: "43" } }))).toBe("CIPHERTEXT_INVALID");
  });

  it("once a bit is changed, or when it is no ciphertext", async () => {
    const text = ciphertextOf(PLAINTEXT, CONTEXT);
    const bytes = decodeText(text);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    expect(await codeOf(open({ ciphertext: encodeText(bytes) }))).toBe("CIPHERTEXT_INVALID");
    expect(await codeOf(open({ ciphertext: "hello" }))).toBe("CIPHERTEXT_INVALID");
  });

  it("when it is a provider's own: that is told before anything is opened", async () => {
    const native = Buffer.concat([writeHeader({ suite: "native", keyUuid: KEY, keyVersion: 7 }), Buffer.alloc(100)]);
    const nowhere = { config: join(fixture.folder, "nothing.yaml"), ciphertext: encodeText(native) };
    expect(await codeOf(open(nowhere))).toBe("CIPHERTEXT_INVALID");
  });

  it("in another context, whatever else is wrong with other lines of its version", async () => {
    const { version, ...entry } = fixture.version();
    await fixture.writeJournal([{ ...entry, version: { ...version, branch: OTHER_ID } }]);
    await writeFile(fixture.journal, journal + (await readFile(fixture.journal, "utf8")));
    expect(await codeOf(open({ context: {} }))).toBe("CIPHERTEXT_INVALID");
    expect(await open()).toEqual(PLAINTEXT);
  });

  it("with a journal that knows another version of its key alone", async () => {
    const { version, ...entry } = fixture.version();
    await fixture.writeJournal([{ ...entry, version: { ...version, version: 8 } }]);
    expect(await codeOf(open())).toBe("KEY_NOT_FOUND");
  });

  it("with a journal that does not know its key version", async () => {
    await fixture.writeJournal([branchEntry]);
    expect(await codeOf(open())).toBe("KEY_NOT_FOUND");
  });

  it("with a seal that was moved or changed", async () => {
    const { version, ...entry } = fixture.version();
    const seal = Buffer.from(version.seal ?? "", "base64");
    seal.writeUInt8(seal.readUInt8(0) ^ 1, 0);
    const lines = journal.split("\n").slice(0, -2);
    await fixture.writeJournal([{ ...entry, version: { ...version, seal: seal.toString("base64") } }]);
    await writeFile(fixture.journal, `${lines.join("\n")}\n${await readFile(fixture.journal, "utf8")}`);
    expect(await codeOf(open())).toBe("INTEGRITY_FAILURE");
  });

  it("with a journal that was edited", async () => {
    await writeFile(fixture.journal, journal.replace('"purpose":"encrypt"', '"purpose": "encrypt"'));
    expect(await codeOf(open())).toBe("INTEGRITY_FAILURE");
  });

  it("through a provider that holds no wrap of it", async () => {
    const config = join(fixture.folder, "other.yaml");
    await writeFile(config, "providers:\n  other: { kind: local-hsm }\n");
    expect(await codeOf(open({ config, provider: "other" }))).toBe("NO_PROVIDER");
    await rm(join(fixture.folder, "other"), { recursive: true });
  });

  it("through a provider that the configuration does not have, or with a configuration that is none", async () => {
    expect(await codeOf(open({ provider: "hsm-z" }))).toBe("NOT_FOUND");
    expect(await codeOf(open({ config: join(fixture.folder, "nothing.yaml") }))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(open({ journal: join(fixture.folder, "nothing.jsonl") }))).toBe("INVALID_ARGUMENT");
  });
});
