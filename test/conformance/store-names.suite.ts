import { describe, expect, it } from "vitest";
import { kmsError } from "./kms-error.ts";
import { key, keyId, putRecord } from "./sealed-records.ts";
import { type StoreHarness, writes } from "./store-subject.ts";

/** One string names one key of a namespace, whichever process asks. */
export function storeNamesSuite({ create }: StoreHarness): void {
  describe("names", () => {
    it.for([
      { how: "a name", part: { name: "key-1" } },
      { how: "an alias", part: { aliases: ["key-1"] } },
      { how: "a name that is an alias", part: { name: "pay/roll" } },
    ])("refuses $how that another key has, though another process made that key", async ({ part }) => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      await one.change(writes(putRecord("keys", key(1, { aliases: ["pay/roll"] }), 0)));
      await expect(other.change(writes(putRecord("keys", key(2, part), 0)))).rejects.toEqual(kmsError("NAME_TAKEN"));
      expect(other.catalog.key(keyId(2))).toBeUndefined();
    });

    it("answers a key by its name and aliases, as they are now", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store.change(writes(putRecord("keys", key(1, { aliases: ["a", "b"] }), 0)));
      expect(store.catalog.keyByName("default", "b")?.id).toBe(keyId(1));
      const revision = store.catalog.revisionOf("keys", keyId(1));
      await store.change(writes(putRecord("keys", key(1, { aliases: ["c"] }), revision)));
      expect(store.catalog.keyByName("default", "b")).toBeUndefined();
      expect(store.catalog.keyByName("default", "c")?.id).toBe(keyId(1));
      expect(store.catalog.keyByName("other", "c")).toBeUndefined();
    });

    it("gives one name in two namespaces to two keys", async () => {
      await using subject = await create();
      const store = await subject.open();
      const other = key(2, { name: "key-1", namespace: "other" });
      await store.change(writes(putRecord("keys", key(1), 0), putRecord("keys", other, 0)));
      expect(store.catalog.keyByName("other", "key-1")).toEqual(other);
      expect(store.catalog.keyByName("default", "key-1")).toEqual(key(1));
    });

    it("lets a destroyed key keep its name", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store.change(writes(putRecord("keys", key(1, { state: "destroyed", stateReason: "normal" }), 0)));
      const again = key(2, { name: "key-1" });
      await expect(store.change(writes(putRecord("keys", again, 0)))).rejects.toEqual(kmsError("NAME_TAKEN"));
    });

    it("gives a name to a key in the change in which another gives it up, and swaps two", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store.change(writes(putRecord("keys", key(1), 0), putRecord("keys", key(2), 0)));
      const [first, second] = [1, 2].map((n) => store.catalog.revisionOf("keys", keyId(n)));
      const swapped = [
        putRecord("keys", key(1, { name: "key-2" }), first ?? 0),
        putRecord("keys", key(2, { name: "key-1" }), second ?? 0),
      ];
      await store.change(writes(...swapped));
      expect(store.catalog.keyByName("default", "key-1")?.id).toBe(keyId(2));
      expect(store.catalog.keyByName("default", "key-2")?.id).toBe(keyId(1));
      const again = await subject.open();
      expect(again.catalog.keyByName("default", "key-2")?.id).toBe(keyId(1));
    });

    it("refuses two keys of one name in one change", async () => {
      await using subject = await create();
      const store = await subject.open();
      const both = [putRecord("keys", key(1), 0), putRecord("keys", key(2, { name: "key-1" }), 0)];
      await expect(store.change(writes(...both))).rejects.toEqual(kmsError("NAME_TAKEN"));
    });
  });
}
