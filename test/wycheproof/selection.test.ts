import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLocal } from "../unit/providers/local-hsm/local.ts";
import { vectorHsm } from "./hsm.ts";
import { runFile } from "./run-file.ts";
import { WycheproofFile } from "./schema.ts";

const folder = join(import.meta.dirname, "../vectors/wycheproof");
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}

describe("Wycheproof, the selection", () => {
  it("has files", () => {
    expect(names.length).toBeGreaterThan(20);
  });

  it.each(names)("%s has the results that we have", async (name) => {
    const { provider } = await openLocal();
    const { agreed, passedOver, differences } = await runFile(read(name), vectorHsm(provider));
    expect(differences).toEqual([]);
    expect(passedOver).toBe(0);
    expect(agreed).toBeGreaterThan(0);
  });

  it.each(names)("%s with every result turned round has others", async (name) => {
    const { provider } = await openLocal();
    const text = JSON.stringify(read(name)).replaceAll(/"result":"(valid|invalid)"/gu, (_, result: string) =>
      JSON.stringify({ result: result === "valid" ? "invalid" : "valid" }).slice(1, -1),
    );
    const { testGroups } = WycheproofFile.parse(JSON.parse(text));
    const turned = testGroups.flatMap(({ tests }) => tests).filter(({ result }) => result !== "acceptable");
    const { differences } = await runFile(JSON.parse(text), vectorHsm(provider));
    expect(differences).toHaveLength(turned.length);
  });
});
