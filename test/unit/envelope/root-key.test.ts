import { describe, expect, it } from "vitest";
import { deriveRowKey, openSecret, rootCommitment, sealSecret } from "#envelope/root-key.ts";
import { flipped, KEY, OTHER_ID, refusalOf, ROOT_KEY } from "./fixtures.ts";

describe("the pin of a root key", () => {
  const pin = rootCommitment({ rootKey: ROOT_KEY, keyUuid: KEY, version: 1 });

  it("is another for another root key, key id or version", () => {
    expect(rootCommitment({ rootKey: flipped(ROOT_KEY, 7), keyUuid: KEY, version: 1 })).not.toEqual(pin);
    expect(rootCommitment({ rootKey: ROOT_KEY, keyUuid: OTHER_ID, version: 1 })).not.toEqual(pin);
    expect(rootCommitment({ rootKey: ROOT_KEY, keyUuid: KEY, version: 2 })).not.toEqual(pin);
  });

  it("is not K_row", () => {
    expect(deriveRowKey(ROOT_KEY)).not.toEqual(pin);
  });
});

describe("a secret under the root key", () => {
  const secret = Buffer.from("any number of bytes, such as a PKCS#8 key");
  const sealed = sealSecret({ rootKey: ROOT_KEY, id: "audit-signing-key", secret });

  it.each([1, 31, 32, 41, 1_200])("of %i bytes opens", (length) => {
    const bytes = Buffer.alloc(length, 0x17);
    const place = { rootKey: ROOT_KEY, id: "local-authority" };
    expect(openSecret({ ...place, sealed: sealSecret({ ...place, secret: bytes }) })).toEqual(bytes);
  });

  it("opens under no other id and no other root key", () => {
    const open = (changes: { id?: string; rootKey?: Buffer }) => () =>
      openSecret({ rootKey: ROOT_KEY, id: "audit-signing-key", sealed, ...changes });
    expect(refusalOf(open({ id: "local-authority" })).code).toBe("INTEGRITY_FAILURE");
    expect(refusalOf(open({ rootKey: flipped(ROOT_KEY, 9) })).code).toBe("INTEGRITY_FAILURE");
  });

  it("opens for no flipped bit, and nothing does not open to nothing", () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const forged = flipped(sealed, bit);
      const open = (): Buffer => openSecret({ rootKey: ROOT_KEY, id: "audit-signing-key", sealed: forged });
      expect(refusalOf(open).code).toBe("INTEGRITY_FAILURE");
    }
    const open = (): Buffer => openSecret({ rootKey: ROOT_KEY, id: "audit-signing-key", sealed: Buffer.alloc(0) });
    expect(refusalOf(open).code).toBe("INTEGRITY_FAILURE");
  });
});
