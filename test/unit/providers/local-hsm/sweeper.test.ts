import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { call } from "../../../conformance/provider/subject.ts";
import { filesOf, freshFolder, newKey, objectPath, openLocal } from "./local.ts";

describe("the sweeper", () => {
  it("erases a key past its time that nobody asks for", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    await local.provider.keys.scheduleDestruction(ref, 1, call());
    local.sources.clock.advance(86_400_000);
    await vi.waitFor(() => {
      expect(local.sources.scheduler.waiting).toBe(1);
    });
    local.sources.scheduler.fire();
    await vi.waitFor(() => {
      expect(filesOf(local, ref)).toEqual(["3.json"]);
    });
  });

  it("runs at start, tidies up after a crash, and leaves alone what it cannot read", async () => {
    const dataFolder = freshFolder();
    const first = await openLocal({ dataFolder });
    const [ref, damaged] = [await newKey(first, "AES-KWP"), await newKey(first, "AES-KWP", "op-2")];
    await first.provider.keys.disable(ref, call());
    writeFileSync(join(first.folder, "objects", ref, "cafe.tmp"), "");
    writeFileSync(objectPath(first, ref, 1), "");
    writeFileSync(objectPath(first, damaged, 1), "");
    const second = await openLocal({ dataFolder });
    await vi.waitFor(() => {
      expect(second.sources.scheduler.waiting).toBe(1);
    });
    expect(filesOf(second, ref)).toEqual(["2.json"]);
    expect(filesOf(second, damaged)).toEqual(["1.json"]);
  });

  it("does not begin again when its provider closes while it runs", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    await local.provider.keys.disable(ref, call());
    await vi.waitFor(() => {
      expect(local.sources.scheduler.waiting).toBe(1);
    });
    writeFileSync(join(local.folder, "objects", ref, "cafe.tmp"), "");
    local.sources.scheduler.fire();
    await local.provider[Symbol.asyncDispose]();
    await vi.waitFor(() => {
      expect(filesOf(local, ref)).toEqual(["2.json"]);
    });
    await new Promise(setImmediate);
    expect(local.sources.scheduler.waiting).toBe(0);
  });

  it("ends with its provider", async () => {
    const { provider, sources } = await openLocal();
    await vi.waitFor(() => {
      expect(sources.scheduler.waiting).toBe(1);
    });
    await provider[Symbol.asyncDispose]();
    expect(sources.scheduler.waiting).toBe(0);
  });
});
