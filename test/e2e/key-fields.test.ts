import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Estate } from "./estate.ts";

const HOUR_MS = 3_600_000;
let estate: Estate;
beforeAll(async () => {
  estate = await Estate.create();
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
}, 60_000);

const TOLD = {
  description: "Card numbers",
  owner: "payments",
  contacts: ["a@example.com", "b@example.com"],
  dataClass: "pci",
  attributes: { "x.cost": "7", site: "fra" },
  labels: { team: "cards" },
};
const EMPTY = { description: "", owner: "", contacts: [], dataClass: "", attributes: {}, labels: {} };

/** Only the words, for they are to be these and no more. */
function words(key: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(EMPTY).map((field) => [field, key[field]]));
}

async function answered(name: string): Promise<readonly Record<string, unknown>[]> {
  const { items } = await estate.succeed("GET", "/v1/keys");
  const listed = (items as Record<string, unknown>[]).filter((key) => key["name"] === name);
  return [await estate.succeed("GET", `/v1/keys/${name}`), ...listed];
}

describe("the words about a key", () => {
  it("are empty until somebody tells them", async () => {
    const made = await estate.succeed("POST", "/v1/keys", { name: "silent" });
    for (const key of [made, ...(await answered("silent"))]) {
      expect(words(key)).toEqual(EMPTY);
      expect(key["links"]).toEqual([]);
    }
  });

  it("are answered as they were told, one by one and in lists, also after a restart", async () => {
    expect(words(await estate.succeed("POST", "/v1/keys", { name: "told", ...TOLD }))).toEqual(TOLD);
    await estate.close();
    await estate.reopen();
    const all = await answered("told");
    expect(all).toHaveLength(2);
    for (const key of all) expect(words(key)).toEqual(TOLD);
  });

  it("change one at a time, where maps are merged and lists replaced, and null clears", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "changing", ...TOLD });
    const path = "/v1/keys/changing";
    let now: Record<string, unknown> = TOLD;
    for (const [patch, becomes] of [
      [{ description: "D" }, { description: "D" }],
      [{ owner: "O" }, { owner: "O" }],
      [{ contacts: ["c"] }, { contacts: ["c"] }],
      [{ dataClass: "C" }, { dataClass: "C" }],
      [{ attributes: { site: null, more: "1" } }, { attributes: { "x.cost": "7", more: "1" } }],
      [{ labels: { tier: "1" } }, { labels: { team: "cards", tier: "1" } }],
      ...Object.entries(EMPTY).map(([field, empty]) => [{ [field]: null }, { [field]: empty }] as const),
    ] as const) {
      now = { ...now, ...becomes };
      expect(words(await estate.succeed("PATCH", path, patch)), JSON.stringify(patch)).toEqual(now);
      for (const key of await answered("changing")) expect(words(key)).toEqual(now);
    }
    expect(now).toEqual(EMPTY);
  });

  it.for([
    ["owner", "x".repeat(256), "/owner"],
    ["dataClass", 7, "/dataClass"],
    ["contacts", Array.from({ length: 17 }, (_, n) => `c${n}`), "/contacts"],
    ["contacts", [""], "/contacts/0"],
    ["attributes", { a: 1 }, "/attributes/a"],
  ] as const)("are refused where they are none: %s", async ([field, value, pointer]) => {
    await estate.ask("POST", "/v1/keys", { name: "checked" });
    for (const [method, path, body] of [
      ["POST", "/v1/keys", { name: "x", [field]: value }],
      ["PATCH", "/v1/keys/checked", { [field]: value }],
    ] as const)
      expect(await estate.ask(method, path, body)).toMatchObject({
        status: 400,
        body: { code: "INVALID_ARGUMENT", errors: [{ pointer }] },
      });
  });
});

describe("what the gateway alone says of a key", () => {
  it.for(["links", "origin", "lastUseTime", "createdBy"])("is not taken from a caller: %s", async (field) => {
    await estate.ask("POST", "/v1/keys", { name: "own" });
    expect(await estate.ask("POST", "/v1/keys", { name: "x", [field]: null })).toMatchObject({ status: 400 });
    expect(await estate.ask("PATCH", "/v1/keys/own", { [field]: null })).toMatchObject({
      status: expect.toSatisfy((status: number) => status === 400 || status === 422) as number,
    });
  });

  it("is its history of exportability, which begins with what was wished", async () => {
    const made = async (name: string, exportability: object): Promise<unknown> =>
      (await estate.succeed("POST", "/v1/keys", { name, exportability }))["exportability"];
    expect(await made("inside", {})).toEqual({
      extractable: false,
      neverExtractable: true,
      sensitive: true,
      alwaysSensitive: true,
      fresh: true,
    });
    expect(await made("movable", { extractable: true, sensitive: false })).toEqual({
      extractable: true,
      neverExtractable: false,
      sensitive: false,
      alwaysSensitive: false,
      fresh: true,
    });
  });

  it("is the hour of its last use, also after a restart", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "used" });
    for (const key of await answered("used")) expect(key["lastUseTime"]).toBeNull();
    await estate.succeed("POST", "/v1/keys/used/encrypt", { plaintext: "" });
    const [key] = await answered("used");
    const hour = String(key?.["lastUseTime"]);
    expect(hour).toMatch(/:00:00\.000Z$/u);
    expect(Math.abs(Date.parse(hour) - Date.now())).toBeLessThan(HOUR_MS + 60_000);
    await estate.close();
    await estate.reopen();
    for (const again of await answered("used")) expect(again["lastUseTime"]).toBe(hour);
  });
});
