import { createHmac, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { uuidBytes } from "#core/ids.ts";
import { portableMac, verifyPortableMac } from "#envelope/mac.ts";
import { unwrapMaterial, wrapMaterial, wrappedBody, wrappedFrame } from "#envelope/wrapped-material.ts";
import { flipped, KEY, OTHER_ID, VERSION_KEY } from "./fixtures.ts";

const message = Buffer.from("a message");
const place = { versionKey: VERSION_KEY, keyUuid: KEY, keyVersion: 3 };
const header = Buffer.concat([uuidBytes(KEY), Buffer.from("00000003", "hex")]);

describe("the MAC of a portable key", () => {
  it.each([
    ["HMAC-SHA-224", "sha224", 28, 1],
    ["HMAC-SHA-256", "sha256", 32, 2],
    ["HMAC-SHA-384", "sha384", 48, 3],
    ["HMAC-SHA-512", "sha512", 64, 4],
  ] as const)("%s is HMAC under a derived key of its own", (algorithm, hash, length, id) => {
    const info = Buffer.concat([Buffer.from("claviger/1 mac\0", "latin1"), header, Buffer.from([0, id])]);
    const key = Buffer.from(hkdfSync("sha512", VERSION_KEY, "", info, length));
    const expected = createHmac(hash, key).update(message).digest("hex");
    expect(portableMac({ ...place, algorithm, message }).toString("hex")).toBe(expected);
  });

  it("fits its own key, version, algorithm and message, whole", () => {
    const input = { ...place, algorithm: "HMAC-SHA-256" as AlgorithmName, message };
    const mac = portableMac(input);
    expect(verifyPortableMac({ ...input, mac })).toBe(true);
    for (let bit = 0; bit < mac.length * 8; bit += 1)
      expect(verifyPortableMac({ ...input, mac: flipped(mac, bit) }), String(bit)).toBe(false);
    expect(verifyPortableMac({ ...input, mac: mac.subarray(0, 16) })).toBe(false);
    expect(verifyPortableMac({ ...input, mac, keyVersion: 4 })).toBe(false);
    expect(verifyPortableMac({ ...input, mac, keyUuid: OTHER_ID })).toBe(false);
    expect(verifyPortableMac({ ...input, mac, message: Buffer.from("another") })).toBe(false);
  });
});

describe("material wrapped under a portable key", () => {
  it("opens to what it was, at every length", () => {
    for (const length of [1, 7, 8, 9, 16, 32, 1000]) {
      const material = Buffer.alloc(length, length);
      const frame = wrappedFrame(place, wrapMaterial(place, material));
      expect(frame.subarray(0, 5).toString("hex")).toBe("434c560181");
      expect(unwrapMaterial(place, wrappedBody(frame)).equals(material), String(length)).toBe(true);
    }
  });

  it("opens under no other key or version, and with no bit changed", () => {
    const wrapped = wrapMaterial(place, Buffer.alloc(32, 7));
    const refused = (run: () => unknown): void => {
      expect(run).toThrow(expect.objectContaining({ code: "CIPHERTEXT_INVALID" }));
    };
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) refused(() => unwrapMaterial(place, flipped(wrapped, bit)));
    for (let length = 0; length < wrapped.length; length += 1)
      refused(() => unwrapMaterial(place, wrapped.subarray(0, length)));
    refused(() => unwrapMaterial({ ...place, keyVersion: 4 }, wrapped));
    refused(() => unwrapMaterial({ ...place, keyUuid: OTHER_ID }, wrapped));
  });
});
