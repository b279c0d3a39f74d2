import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEALED_TABLES } from "#core/records.ts";
import { Chain, type FeedChange } from "#store/chain.ts";
import { RowHmac } from "#store/row-hmac.ts";
import { Sealer, sealsEqual } from "#store/seals.ts";
import { snapshotParts, startAtSnapshot } from "#store/snapshots.ts";

const ROW_KEY = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");
const sealer = new Sealer(new Map([[1, ROW_KEY]]), 1);

function hmac(...parts: (string | Buffer)[]): Buffer {
  return createHmac("sha256", ROW_KEY)
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest();
}

describe("seals", () => {
  it("are HMAC-SHA-256 over table, 00, the revision in 8 bytes, and the record", () => {
    const text = '{"name":"grün"}';
    const seal = sealer.seal({ table: "keys", revision: Number.MAX_SAFE_INTEGER, text, rootVersion: 1 });
    expect(seal).toEqual(hmac("keys\0", Buffer.from("001fffffffffffff", "hex"), text));
  });

  it("link HMAC-SHA-256 over the link before, revision, table, 00, row id, 00 and row seal", () => {
    const previous = Buffer.alloc(32, 3);
    const seal = Buffer.alloc(32, 4);
    const link = sealer.link(previous, { revision: 258, table: "wraps", id: "bnd_1", seal, rootVersion: 1 });
    expect(link).toEqual(hmac(previous, Buffer.from("0000000000000102", "hex"), "wraps\0bnd_1\0", seal));
  });

  it("are not made for a root version that is not known", () => {
    expect(sealer.seal({ table: "keys", revision: 1, text: "{}", rootVersion: 2 })).toBeUndefined();
  });

  it("equal only bytes of the same length and content", () => {
    const seal = Buffer.alloc(32, 1);
    expect(sealsEqual(seal, Buffer.from(seal))).toBe(true);
    for (const other of [Buffer.alloc(32, 2), seal.subarray(1), "x".repeat(32), null, undefined, 1n]) {
      expect(sealsEqual(seal, other)).toBe(false);
    }
  });
});

describe("row hmac", () => {
  it("is HMAC-SHA-256, whatever the parts and their lengths", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 3000 }),
      fc.uint8Array({ maxLength: 9000 }),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    );
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(key, fc.array(fc.array(part, { maxLength: 5 }), { maxLength: 4 }), (bytes, messages) => {
        const rowHmac = new RowHmac(bytes);
        for (const message of messages) {
          const reference = createHmac("sha256", bytes);
          for (const item of message) reference.update(typeof item === "number" ? uint64(item) : Buffer.from(item));
          expect(rowHmac.digest(...message)).toBe(reference.digest("binary"));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("takes no key of another length", () => {
    expect(() => new RowHmac(Buffer.alloc(31))).toThrow(TypeError);
  });
});

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

describe("the chain", () => {
  it("goes through a snapshot unchanged, whatever it names", () => {
    const row = fc.record({
      table: fc.constantFrom(...SEALED_TABLES),
      id: fc.string({ unit: "grapheme", maxLength: 60 }),
      revision: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      rootVersion: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      seal: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const chain = new Chain();
        for (const { table, id, seal, ...named } of rows) {
          chain.name(table, id, { ...named, seal: Buffer.from(seal).toString("latin1") });
        }
        chain.startAt(77, Buffer.alloc(32, 9));
        const restored = new Chain();
        const entries = [...snapshotParts(chain, sealer)].map((part) => part.entries);
        startAtSnapshot(restored, { revision: 77, link: Buffer.alloc(32, 9), entries });
        expect(restored.revision).toBe(77);
        for (const table of SEALED_TABLES) expect(restored.rows(table)).toEqual(chain.rows(table));
      }),
      { numRuns: 50 },
    );
  });

  it("follows the next change with the right link and no other", () => {
    const chain = new Chain();
    const first = change(chain.link, 1);
    const second = change(first.link, 2);
    expect(chain.follow(second, sealer)).toBe(false);
    expect(chain.follow({ ...first, id: "y" }, sealer)).toBe(false);
    expect(chain.follow({ ...first, rootVersion: 2 }, sealer)).toBe(false);
    expect(chain.follow(first, sealer)).toBe(true);
    expect(chain.follow(first, sealer)).toBe(false);
    expect(chain.follow(second, sealer)).toBe(true);
    expect(chain.named("drains", "x")?.revision).toBe(2);
  });
});

function change(previous: Uint8Array, revision: number): FeedChange {
  const body = { revision, table: "drains", id: "x", seal: Buffer.alloc(32, revision), rootVersion: 1 } as const;
  return { ...body, link: sealer.link(previous, body) ?? Buffer.alloc(0) };
}
