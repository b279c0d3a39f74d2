import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, Gateway } from "./live-gateway.ts";
import { PLAINTEXT_BASE64, post } from "./tables/case.ts";

const KEY = "/v1/keys/attacked";
const PREFIX = "clv1.";
const CONTEXT = { tenant: "acme" };
/** Where the key id stands in a frame (docs/format.md): what it names may not be there, which is no secret. */
const KEY_ID = { from: 5, to: 21 };

let gateway: Gateway;
let frame: Buffer;

beforeAll(async () => {
  gateway = await Gateway.start();
  await gateway.ask(post("/v1/keys", { name: "attacked" }));
  const { json } = await gateway.ask(post(`${KEY}/encrypt`, { plaintext: PLAINTEXT_BASE64, context: CONTEXT }));
  frame = Buffer.from(String(json["ciphertext"]).slice(PREFIX.length), "base64url");
}, 120_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
}, 30_000);

const write = (bytes: Uint8Array): string => PREFIX + Buffer.from(bytes).toString("base64url");

function flipped(bit: number): Buffer {
  const bytes = Buffer.from(frame);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes;
}

async function open(path: string, ciphertext: string, context: object = CONTEXT): Promise<Answer> {
  return await gateway.ask(post(path, { ciphertext, context }, { headers: { "x-request-id": "fixed" } }));
}

/** The bytes of the answer to a ciphertext that does not open, whatever the reason. */
async function refusal(): Promise<string> {
  const { status, text } = await open(`${KEY}/decrypt`, write(flipped(frame.length * 8 - 1)));
  expect(status).toBe(400);
  return text;
}

/** Opens many in batches, and gives each item of the answers. */
async function openAll(ciphertexts: readonly string[], context: object = CONTEXT): Promise<readonly unknown[]> {
  const outcomes: unknown[] = [];
  for (let from = 0; from < ciphertexts.length; from += 1000) {
    const items = ciphertexts.slice(from, from + 1000).map((ciphertext) => ({ ciphertext, context }));
    const { status, json } = await gateway.ask(post(`${KEY}/decrypt`, { items }));
    expect([status, json["failed"]]).toEqual([207, items.length]);
    outcomes.push(...(json["items"] as readonly unknown[]));
  }
  return outcomes;
}

const INVALID_ITEM = {
  error: {
    code: "CIPHERTEXT_INVALID",
    status: 400,
    retry: "never",
    detail: "the ciphertext cannot be opened with this key and context",
  },
};

describe("a ciphertext with one bit flipped", () => {
  it("never opens, whichever bit, and each failure is the same as any other", async () => {
    const outcomes = await openAll(Array.from({ length: frame.length * 8 }, (_, bit) => write(flipped(bit))));
    expect(outcomes).toHaveLength(frame.length * 8);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(
      new Set([JSON.stringify(INVALID_ITEM)]),
    );
  });

  it("gives the same bytes of an answer under its key, for one bit of every byte", async () => {
    const wanted = await refusal();
    for (let byte = 0; byte < frame.length; byte += 1) {
      const { text } = await open(`${KEY}/decrypt`, write(flipped(byte * 8 + (byte % 8))));
      expect(text, `byte ${byte}`).toBe(wanted);
    }
  });

  it("gives the same bytes at /v1/decrypt too, but for another key id, which is not found", async () => {
    const wanted = await refusal();
    const notFound = await open("/v1/keys/nothing/decrypt", write(frame));
    expect(notFound.status).toBe(404);
    for (let byte = 0; byte < frame.length; byte += 1) {
      const { text } = await open("/v1/decrypt", write(flipped(byte * 8 + (byte % 8))));
      const isId = byte >= KEY_ID.from && byte < KEY_ID.to;
      expect(text, `byte ${byte}`).toBe(isId ? notFound.text : wanted);
    }
  });
});

describe("a ciphertext that is cut or extended", () => {
  it("never opens, whatever its length, and each failure is the same as any other", async () => {
    const cut = Array.from({ length: frame.length }, (_, length) => write(frame.subarray(0, length)));
    const longer = [1, 16, 1000].map((extra) => write(Buffer.concat([frame, Buffer.alloc(extra)])));
    const outcomes = await openAll([...cut, ...longer, write(Buffer.concat([frame, frame]))]);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(
      new Set([JSON.stringify(INVALID_ITEM)]),
    );
  });

  it("gives the same bytes of an answer, cut anywhere in its bytes or in its text", async () => {
    const wanted = await refusal();
    const text = write(frame);
    for (let length = 0; length < frame.length; length += 5) {
      expect((await open(`${KEY}/decrypt`, write(frame.subarray(0, length)))).text, `${length} bytes`).toBe(wanted);
      expect((await open("/v1/decrypt", write(frame.subarray(0, Math.min(length, 24))))).text, `${length} bytes`).toBe(
        wanted,
      );
    }
    for (let length = PREFIX.length; length < text.length; length += 7) {
      expect((await open(`${KEY}/decrypt`, text.slice(0, length))).text, `${length} characters`).toBe(wanted);
    }
  });
});

describe("a ciphertext written in another way", () => {
  it.for([
    { name: "padding", rewrite: (text: string) => `${text}=` },
    { name: "two of padding", rewrite: (text: string) => `${text}==` },
    { name: "a line end", rewrite: (text: string) => `${text}\n` },
    { name: "a space", rewrite: (text: string) => `${text.slice(0, 20)} ${text.slice(20)}` },
    { name: "a NUL", rewrite: (text: string) => `${text}\u0000` },
    { name: "the other alphabet", rewrite: (text: string) => `${text.slice(0, 20)}+/${text.slice(22)}` },
    { name: "itself again", rewrite: (text: string) => text + text },
    { name: "nothing behind the prefix", rewrite: () => PREFIX },
  ])("does not open, and gives the same bytes: $name", async ({ rewrite }) => {
    expect((await open(`${KEY}/decrypt`, rewrite(write(frame)))).text).toBe(await refusal());
  });
});

describe("a ciphertext that is whole", () => {
  it("opens", async () => {
    expect(await open(`${KEY}/decrypt`, write(frame))).toMatchObject({
      status: 200,
      json: { plaintext: PLAINTEXT_BASE64 },
    });
    expect(await open("/v1/decrypt", write(frame))).toMatchObject({
      status: 200,
      json: { plaintext: PLAINTEXT_BASE64 },
    });
  });

  it.for([{}, { tenant: "acme2" }, { Tenant: "acme" }, { tenant: "acme", x: "" }, { tenant: "" }])(
    "gives the same refusal with another context: %o",
    async (context) => {
      const wanted = await refusal();
      expect((await open(`${KEY}/decrypt`, write(frame), context)).text).toBe(wanted);
      expect((await open("/v1/decrypt", write(frame), context)).text).toBe(wanted);
    },
  );

  it("gives the same refusal under another key, another version and to reencrypt", async () => {
    const wanted = await refusal();
    await gateway.ask(post("/v1/keys", { name: "another" }));
    await gateway.ask(post("/v1/keys/another/rotate", {}));
    await gateway.ask(post(`${KEY}/rotate`, {}));
    expect((await open("/v1/keys/another/decrypt", write(frame))).text).toBe(wanted);
    expect((await open("/v1/keys/attacked@2/decrypt", write(frame))).text).toBe(wanted);
    expect((await open("/v1/keys/another/reencrypt", write(flipped(frame.length * 8 - 1)))).text).toBe(wanted);
    expect(await open("/v1/keys/attacked@1/decrypt", write(frame))).toMatchObject({
      status: 200,
      json: { stale: true },
    });
  });
});

describe("afterwards", () => {
  it("the gateway lives, and its log has no plaintext", () => {
    expect(gateway.isAlive).toBe(true);
    expect(gateway.log.includes(PLAINTEXT_BASE64)).toBe(false);
  });
});
