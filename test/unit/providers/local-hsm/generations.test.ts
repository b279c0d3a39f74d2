import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commitGeneration, newestGeneration, tidyGenerations } from "#providers/local-hsm/generations.ts";
import { freshFolder } from "./local.ts";

const commit = async (folder: string, generation: number, nonce = "a") =>
  await commitGeneration(folder, { generation, bytes: Buffer.from(`${nonce} ${generation}`), nonce });

describe("generations", () => {
  it("replace each other, one by one", async () => {
    const folder = freshFolder();
    for (const generation of [1, 2, 3]) expect(await commit(folder, generation)).toBe(true);
    expect(readdirSync(folder)).toEqual(["3.json"]);
  });

  it("of several writers of one number, one wins", async () => {
    const folder = freshFolder();
    const outcomes = await Promise.all(["a", "b", "c", "d"].map(async (nonce) => await commit(folder, 1, nonce)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(["1.json"]);
  });

  it("a writer that comes late, when its number is free again, has lost and leaves nothing", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "5.json"), "");
    expect(await commit(folder, 3)).toBe(false);
    expect(readdirSync(folder)).toEqual(["5.json"]);
  });

  it("a writer whose temporary file is tidied away has lost, and may try again", async () => {
    const folder = freshFolder();
    await commit(folder, 1);
    const tidying = (async () => {
      for (let time = 0; time < 100; time++) await tidyGenerations(folder);
    })();
    const outcomes = [await commit(folder, 2)];
    await tidying;
    while (outcomes.at(-1) === false) outcomes.push(await commit(folder, 2));
    expect(outcomes.length).toBeLessThanOrEqual(2);
    expect(await newestGeneration(folder)).toBe(2);
  });

  it("a folder without a generation is not tidied: its first writer may be at work", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "a.tmp"), "");
    await tidyGenerations(folder);
    expect(readdirSync(folder)).toEqual(["a.tmp"]);
  });

  it("a folder that is not there has none", async () => {
    expect(await newestGeneration(join(freshFolder(), "none"))).toBeUndefined();
  });
});
