import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Observation } from "#core/provider.ts";
import { call, faultOf, listed } from "../../../conformance/provider/subject.ts";
import { editFile, filesOf, type Local, newKey, newWrap, objectPath, openLocal } from "./local.ts";

const DAMAGED = {
  observed: "material-missing",
  nativeState: "damaged",
  algorithm: null,
  marker: null,
  destroyTime: null,
};

describe("a key's file that was tampered with", () => {
  const edits: readonly { readonly name: string; readonly edit: (text: string) => string }[] = [
    { name: "another algorithm", edit: (text) => text.replace(`"AES-KWP"`, `"AES-256-GCM"`) },
    { name: "another description", edit: (text) => text.replace("a key", "a kez") },
    { name: "another marker", edit: (text) => text.replace("op-1", "op-2") },
    { name: "another creation time", edit: (text) => text.replace(/"createTime":\d/u, `"createTime":9`) },
    { name: "the state enabled", edit: (text) => text.replace(`"disabled"`, `"enabled"`) },
    { name: "the state destroyed", edit: (text) => text.replace(`"disabled"`, `"destroyed"`) },
    { name: "another count of invocations", edit: (text) => text.replace(`"invocations":0`, `"invocations":5`) },
    { name: "a later generation", edit: (text) => text.replace(`"generation":2`, `"generation":3`) },
    { name: "a member more", edit: (text) => text.replace(`"state"`, `"also":1,"state"`) },
    { name: "a changed seal", edit: (text) => text.replace(/"sealed":"./u, `"sealed":"_`) },
    { name: "another seal", edit: (text) => text.replace(/"sealed":"..../u, `"sealed":"AAAA`) },
    { name: "half of its text", edit: (text) => text.slice(0, text.length / 2) },
    { name: "no text", edit: () => "" },
  ];

  it.each(edits)("with $name is named, refused and not believed", async ({ edit }) => {
    const local = await openLocal();
    const { provider } = local;
    const ref = await newKey(local, "AES-KWP");
    const made = await newWrap(local, ref);
    await provider.keys.disable(ref, call());
    const path = objectPath(local, ref, 2);
    const before = readFileSync(path, "utf8");
    editFile(path, edit);
    expect(readFileSync(path, "utf8")).not.toBe(before);
    expect(await provider.describe(ref, call())).toMatchObject(DAMAGED);
    expect(await listed(provider)).toContainEqual(expect.objectContaining({ ref, ...DAMAGED }));
    const fault = await faultOf(provider, async () => await provider.wrapper.unwrap(made, call()));
    expect(fault).toMatchObject({ failure: "STATE", nativeCode: "KeyDamaged" });
    expect(fault.detail).toBe(`the file of key ${ref} does not open under the master key`);
    expect((await faultOf(provider, async () => await provider.keys.enable(ref, call()))).nativeCode).toBe(
      "KeyDamaged",
    );
  });

  it("does not open in the place of another key, nor as a later generation of its own", async () => {
    const local = await openLocal();
    const [ref, other] = [await newKey(local, "AES-KWP"), await newKey(local, "AES-KWP", "op-2")];
    copyFileSync(objectPath(local, other, 1), objectPath(local, ref, 1));
    expect(await local.provider.describe(ref, call())).toMatchObject(DAMAGED);
    copyFileSync(objectPath(local, other, 1), objectPath(local, other, 2));
    expect(await local.provider.describe(other, call())).toMatchObject(DAMAGED);
  });

  it("does not hide the other keys", async () => {
    const local = await openLocal();
    const [ref, other] = [await newKey(local, "AES-KWP"), await newKey(local, "AES-KWP", "op-2")];
    writeFileSync(objectPath(local, ref, 1), "");
    const seen = new Map((await listed(local.provider)).map((one) => [one.ref, one.observed]));
    expect(seen).toEqual(
      new Map([
        [ref, "material-missing"],
        [other, "enabled"],
      ]),
    );
  });
});

describe("a key's folder after a crash", () => {
  it("counts the newest generation, whatever older ones were left", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    const first = readFileSync(objectPath(local, ref, 1));
    await local.provider.keys.disable(ref, call());
    writeFileSync(objectPath(local, ref, 1), first);
    expect(await local.provider.describe(ref, call())).toMatchObject({ observed: "disabled" });
    await local.provider.keys.enable(ref, call());
    expect(filesOf(local, ref)).toEqual(["3.json"]);
  });

  it("is not a key before its first generation stands, and becomes it when it is created again", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    renameSync(objectPath(local, ref, 1), join(local.folder, "objects", ref, "0123.tmp"));
    expect((await faultOf(local.provider, async () => await local.provider.describe(ref, call()))).failure).toBe(
      "NOT_FOUND",
    );
    expect(await listed(local.provider)).toEqual([]);
    expect(await newKey(local, "AES-KWP")).toBe(ref);
  });

  it("ignores what is no generation", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    for (const name of ["0.json", "01.json", "2.json.bak", "-3.json", "9999999999999999.json", "x"]) {
      writeFileSync(join(local.folder, "objects", ref, name), "");
    }
    mkdirSync(join(local.folder, "objects", "lost+found"));
    writeFileSync(join(local.folder, "objects", "lost+found", "1.json"), "");
    expect(await local.provider.describe(ref, call())).toMatchObject({ observed: "enabled" });
    expect(await listed(local.provider)).toHaveLength(1);
  });

  it("is a key that does not exist once it is removed", async () => {
    const local = await openLocal();
    const made = await newWrap(local, await newKey(local, "AES-KWP"));
    rmSync(join(local.folder, "objects", made.ref), { recursive: true });
    const unwrap = async () => await local.provider.wrapper.unwrap(made, call());
    expect((await faultOf(local.provider, unwrap)).failure).toBe("NOT_FOUND");
  });
});

describe("a change that meets others", () => {
  const change = async ({ provider }: Local, ref: string, at: number): Promise<Observation> =>
    await (at % 2 === 0 ? provider.keys.disable(ref, call()) : provider.keys.enable(ref, call()));

  it("is lost to none of them: a scheduled destruction outlives every enable and disable", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    const changes = Array.from({ length: 8 }, async (_, at) => await change(local, ref, at));
    await Promise.allSettled([...changes, local.provider.keys.scheduleDestruction(ref, 1, call())]);
    expect(await local.provider.describe(ref, call())).toMatchObject({ observed: "pending-destroy" });
    expect(filesOf(local, ref)).toHaveLength(1);
  });
});

describe("a destruction", () => {
  it("erases the material from the disk, on the first look after its time", async () => {
    const local = await openLocal();
    const { provider, sources } = local;
    const ref = await newKey(local, "AES-KWP");
    const made = await newWrap(local, ref);
    await provider.keys.scheduleDestruction(ref, 1, call());
    const pending = readFileSync(objectPath(local, ref, 2), "utf8");
    sources.clock.advance(86_400_000 - 1);
    expect(await provider.describe(ref, call())).toMatchObject({ observed: "pending-destroy" });
    sources.clock.advance(1);
    writeFileSync(join(local.folder, "objects", ref, "cafe.tmp"), pending);
    expect((await faultOf(provider, async () => await provider.wrapper.unwrap(made, call()))).nativeCode).toBe(
      "KeyDestroyed",
    );
    expect(filesOf(local, ref)).toEqual(["3.json"]);
    const { sealed } = JSON.parse(pending) as { sealed: string };
    expect(readFileSync(objectPath(local, ref, 3), "utf8")).not.toContain(sealed);
    expect(await newKey(local, "AES-KWP")).toBe(ref);
    expect(await provider.describe(ref, call())).toMatchObject({ observed: "destroyed", marker: "op-1" });
  });

  it("keeps its time when it is asked for again, and cancelling one that is not there is STATE", async () => {
    const local = await openLocal();
    const { provider, sources } = local;
    const ref = await newKey(local, "AES-KWP");
    expect((await faultOf(provider, async () => await provider.keys.cancelDestruction(ref, call()))).nativeCode).toBe(
      "KeyNotPending",
    );
    const { destroyTime } = await provider.keys.scheduleDestruction(ref, 90, call());
    expect(destroyTime).toBe(sources.clock.now() + 90 * 86_400_000);
    expect(await provider.keys.scheduleDestruction(ref, 1, call())).toMatchObject({ destroyTime });
    expect(await provider.keys.cancelDestruction(ref, call())).toMatchObject({
      observed: "disabled",
      destroyTime: null,
    });
  });
});

describe("a key", () => {
  it("works for its own algorithm only", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "HMAC-SHA-256");
    const fault = await faultOf(local.provider, async () => await newWrap(local, ref));
    expect(fault).toEqual({ failure: "INTERNAL", detail: "unsupported: AES-KWP with a key for HMAC-SHA-256" });
  });

  it.each(["", "Upper", "under_score", "x".repeat(65), "../x", "claviger-canary"])(
    "cannot carry the marker %j",
    async (marker) => {
      const local = await openLocal();
      const fault = await faultOf(local.provider, async () => await newKey(local, "AES-KWP", marker));
      expect(fault).toMatchObject({ failure: "INTERNAL", detail: expect.stringMatching(/^unsupported/u) as string });
    },
  );

  it("is found again though more keys were used than memory holds", async () => {
    const local = await openLocal();
    const made = await newWrap(local, await newKey(local, "AES-KWP"));
    const refs = await Promise.all(
      Array.from({ length: 70 }, async (_, at) => await newKey(local, "AES-KWP", `many-${at}`)),
    );
    await Promise.all(refs.map(async (ref) => await newWrap(local, ref)));
    expect((await local.provider.wrapper.unwrap(made, call())).value.equals(made.payload)).toBe(true);
  });
});
