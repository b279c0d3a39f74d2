import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rotateDue } from "#broker/rotate-due.ts";
import { Estate } from "./estate.ts";

const GCM = { algorithm: "AES-256-GCM", custody: { kind: "native", provider: "hsm-a" } };
const DAY_MS = 86_400_000;
let estate: Estate;
beforeAll(async () => {
  estate = await Estate.create();
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
});

async function encrypt(name: string, times: number, bytes = 5): Promise<void> {
  const plaintext = Buffer.alloc(bytes).toString("base64");
  for (let made = 0; made < times; made++) await estate.succeed("POST", `/v1/keys/${name}/encrypt`, { plaintext });
}

/** What the background does by itself once a minute; gives the key's newest version and the primary one. */
async function versionsAfterTurn(name: string): Promise<readonly unknown[]> {
  await rotateDue(estate.gateway.parts);
  const { latestVersion, primaryVersion } = await estate.succeed("GET", `/v1/keys/${name}`);
  return [latestVersion, primaryVersion];
}

describe("a key of raw AES-GCM", () => {
  it("gets a new version after as many messages as it was told, counted over restarts, and no sooner", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "counted", ...GCM, rotation: { maxMessages: 4 } });
    await encrypt("counted", 3);
    expect(await versionsAfterTurn("counted")).toEqual([1, 1]);
    await estate.close();
    await estate.reopen();
    await encrypt("counted", 1);
    expect(await versionsAfterTurn("counted")).toEqual([2, 2]);
    await encrypt("counted", 3);
    expect(await versionsAfterTurn("counted")).toEqual([2, 2]);
    const { items } = await estate.succeed("GET", "/v1/keys/counted/history");
    expect((items as object[]).at(-1)).toMatchObject({ action: "rotate", reason: "amount" });
  });

  it("gets one after as many bytes, from when it was told on, until it is told otherwise", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "weighed", ...GCM });
    await encrypt("weighed", 1, 1000);
    const limited = { rotation: { everyDays: null, maxMessages: null, maxBytes: 1000, nextTime: null } };
    expect(await estate.succeed("PATCH", "/v1/keys/weighed", { rotation: { maxBytes: 1000 } })).toMatchObject(limited);
    await encrypt("weighed", 1, 999);
    expect(await versionsAfterTurn("weighed")).toEqual([1, 1]);
    await encrypt("weighed", 1, 1);
    expect(await versionsAfterTurn("weighed")).toEqual([2, 2]);
    await estate.succeed("PATCH", "/v1/keys/weighed", { rotation: { everyDays: 7 } });
    expect(await estate.succeed("PATCH", "/v1/keys/weighed", { rotation: null })).toMatchObject({
      rotation: { everyDays: null, maxMessages: null, maxBytes: null, nextTime: null },
    });
    await encrypt("weighed", 1, 5000);
    estate.advance(8 * DAY_MS);
    expect(await versionsAfterTurn("weighed")).toEqual([2, 2]);
  });
});

describe("a limit is refused", () => {
  it.each([
    { what: "of a portable key", key: {}, member: "maxMessages" },
    { what: "of an opaque native key", key: { custody: GCM.custody }, member: "maxBytes" },
    { what: "of an imported key", key: { ...GCM, material: "import" }, member: "maxMessages" },
  ])("$what", async ({ key, member }) => {
    const rotation = { [member]: 10 };
    const { status, body } = await estate.ask("POST", "/v1/keys", { name: "unlimited", ...key, rotation });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { code: "UNSUPPORTED_COMBINATION", errors: [{ pointer: `/rotation/${member}` }] },
    });
    expect((await estate.ask("GET", "/v1/keys/unlimited")).status).toBe(404);
  });

  it("of more messages than random nonces allow", async () => {
    const rotation = { maxMessages: 2 ** 32 + 1 };
    const { body } = await estate.ask("POST", "/v1/keys", { name: "unlimited", ...GCM, rotation });
    expect(body).toMatchObject({ code: "INVALID_ARGUMENT", errors: [{ pointer: "/rotation/maxMessages" }] });
  });
});
