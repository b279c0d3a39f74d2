import { describe, expect, it } from "vitest";
import type { Uuid } from "#core/ids.ts";
import { createVersionKeys } from "#envelope/version-keys.ts";
import { BRANCH, countingKey, KEY, OTHER_ID } from "./fixtures.ts";

function harness(capacity = 3) {
  const listeners = new Set<(branch: Uuid, branchVersion: number) => void>();
  const branchKeys = {
    onDrop(listener: (branch: Uuid, branchVersion: number) => void): Disposable {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  const keys = createVersionKeys({ branchKeys, capacity });
  const opened: number[] = [];
  const get = (version: number, place: { branch?: Uuid; branchVersion?: number } = {}): Buffer =>
    keys.get({ key: KEY, version, branch: BRANCH, branchVersion: 1, ...place }, () => {
      opened.push(version);
      return countingKey(version);
    });
  const dropBranch = (branch: Uuid, branchVersion: number): void => {
    for (const listener of listeners) listener(branch, branchVersion);
  };
  return { keys, get, opened, dropBranch, listeners };
}

const ZEROED = Buffer.alloc(32);

describe("the cache of version keys", () => {
  it("opens a seal once", () => {
    const { get, opened } = harness();
    expect([get(1), get(1), get(1)]).toEqual([countingKey(1), countingKey(1), countingKey(1)]);
    expect(opened).toEqual([1]);
  });

  it("keeps what was used last, and zeroes what it lets go", () => {
    const { keys, get, opened } = harness(3);
    const held = [get(1), get(2), get(3)];
    get(1);
    get(4);
    expect(held).toEqual([countingKey(1), ZEROED, countingKey(3)]);
    expect(keys.size).toBe(3);
    get(2);
    expect(held).toEqual([countingKey(1), ZEROED, ZEROED]);
    expect(opened).toEqual([1, 2, 3, 4, 2]);
  });

  it("zeroes the keys under a branch key that is dropped, and no others", () => {
    const { keys, get, dropBranch } = harness();
    const held = [get(1), get(2, { branch: OTHER_ID }), get(3, { branchVersion: 2 })];
    dropBranch(BRANCH, 1);
    expect(held).toEqual([ZEROED, countingKey(2), countingKey(3)]);
    expect(keys.size).toBe(2);
    expect(get(1)).toEqual(countingKey(1));
  });

  it("opens again what was sealed anew under another branch version", () => {
    const { keys, get, opened, dropBranch } = harness();
    const before = get(1);
    expect(get(1, { branchVersion: 2 })).toEqual(countingKey(1));
    expect([before, opened, keys.size]).toEqual([ZEROED, [1, 1], 1]);
    dropBranch(BRANCH, 1);
    expect(keys.size).toBe(1);
  });

  it("keeps nothing of a seal that does not open", () => {
    const { keys, get } = harness();
    const ref = { key: KEY, version: 9, branch: BRANCH, branchVersion: 1 };
    const open = (): Buffer => {
      throw new Error("no");
    };
    expect(() => keys.get(ref, open)).toThrow("no");
    expect([keys.size, get(9)]).toEqual([0, countingKey(9)]);
  });

  it("zeroes everything and stops listening when it is disposed", () => {
    const { keys, get, listeners } = harness();
    const held = [get(1), get(2)];
    keys[Symbol.dispose]();
    expect([held, keys.size, listeners.size]).toEqual([[ZEROED, ZEROED], 0, 0]);
  });
});
