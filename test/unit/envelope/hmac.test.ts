import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmac } from "#envelope/hmac.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

describe("an HMAC", () => {
  it.each(["sha256", "sha512"] as const)(
    "with %s is node:crypto's, for keys and messages of every length",
    (algorithm) => {
      fc.assert(
        fc.property(bytes, fc.array(bytes, { maxLength: 4 }), (key, parts) => {
          const wanted = createHmac(algorithm, key).update(Buffer.concat(parts)).digest();
          expect(hmac(algorithm, key, ...parts).equals(wanted)).toBe(true);
        }),
        {
          numRuns: 100,
          examples: [
            [new Uint8Array(64), []],
            [new Uint8Array(129).fill(1), [new Uint8Array(128)]],
          ],
        },
      );
    },
  );

  it("is that of RFC 4231 § 4.3", () => {
    const mac = hmac("sha256", Buffer.from("Jefe"), Buffer.from("what do ya want "), Buffer.from("for nothing?"));
    expect(mac.toString("hex")).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  it("leaves its inputs as they are", () => {
    const [key, message] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)];
    hmac("sha512", key, message);
    expect([key, message]).toEqual([Buffer.alloc(20, 1), Buffer.alloc(20, 2)]);
  });
});
