import { hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { uuidBytes } from "#core/ids.ts";
import { wrapKey } from "#envelope/key-wrap.ts";
import { openVersionKey, sealVersionKey } from "#envelope/version-seal.ts";
import { BRANCH, BRANCH_KEY, flipped, KEY, NAMESPACE, OTHER_ID, refusalOf, VERSION_KEY } from "./fixtures.ts";

const place = { branchKey: BRANCH_KEY, namespace: NAMESPACE, key: KEY, version: 7, branch: BRANCH, branchVersion: 2 };
const seal = sealVersionKey({ ...place, versionKey: VERSION_KEY });

describe("the seal of a version key", () => {
  it("is 40 bytes and opens to the version key, in a buffer of its own", () => {
    expect(seal.length).toBe(40);
    const opened = openVersionKey({ ...place, seal });
    expect(opened).toEqual(VERSION_KEY);
    expect(opened.buffer.byteLength).toBe(32);
  });

  it.each([
    { name: "another namespace", moved: { namespace: OTHER_ID } },
    { name: "another key", moved: { key: OTHER_ID } },
    { name: "another version", moved: { version: 8 } },
    { name: "another branch", moved: { branch: OTHER_ID } },
    { name: "another branch version", moved: { branchVersion: 3 } },
    { name: "another branch key", moved: { branchKey: flipped(BRANCH_KEY, 0) } },
    { name: "swapped versions", moved: { version: 2, branchVersion: 7 } },
    { name: "swapped ids", moved: { key: BRANCH, branch: KEY } },
  ])("does not open at $name", ({ moved }) => {
    expect(refusalOf(() => openVersionKey({ ...place, ...moved, seal })).code).toBe("INTEGRITY_FAILURE");
  });

  it("opens for no flipped bit and no other length", () => {
    for (let bit = 0; bit < 320; bit += 1) {
      expect(refusalOf(() => openVersionKey({ ...place, seal: flipped(seal, bit) })).code).toBe("INTEGRITY_FAILURE");
    }
    for (const other of [seal.subarray(0, 32), seal.subarray(8), Buffer.concat([seal, seal]), Buffer.alloc(0)]) {
      expect(refusalOf(() => openVersionKey({ ...place, seal: other })).code).toBe("INTEGRITY_FAILURE");
    }
  });

  it("does not open if what was sealed is no version key, even under the right key", () => {
    const branchVersion = Buffer.of(0, 0, 0, place.branchVersion);
    const ids = [
      uuidBytes(NAMESPACE),
      uuidBytes(KEY),
      Buffer.of(0, 0, 0, place.version),
      uuidBytes(BRANCH),
      branchVersion,
    ];
    const info = Buffer.concat([Buffer.from("claviger/1 seal\0"), ...ids]);
    const kek = Buffer.from(hkdfSync("sha512", BRANCH_KEY, Buffer.alloc(0), info, 32));
    expect(wrapKey("kw", { kek, key: VERSION_KEY })).toEqual(seal);
    const short = wrapKey("kw", { kek, key: VERSION_KEY.subarray(0, 24) });
    expect(refusalOf(() => openVersionKey({ ...place, seal: short })).code).toBe("INTEGRITY_FAILURE");
  });

  it("is made neither of nor under a key that was dropped", () => {
    const dropped = Buffer.alloc(32);
    expect(refusalOf(() => sealVersionKey({ ...place, versionKey: dropped })).code).toBe("INTERNAL");
    expect(refusalOf(() => sealVersionKey({ ...place, branchKey: dropped, versionKey: VERSION_KEY })).code).toBe(
      "INTERNAL",
    );
  });
});
