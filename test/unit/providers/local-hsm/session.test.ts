import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call, faultOf, listed } from "../../../conformance/provider/subject.ts";
import { freshFolder, newKey, newWrap, openLocal } from "./local.ts";

describe("a software hsm whose folder goes away", () => {
  it("is an OUTAGE for everything, not a missing key, and works again when the folder is back", async () => {
    const local = await openLocal();
    const { provider, folder } = local;
    const made = await newWrap(local, await newKey(local, "AES-KWP"));
    renameSync(folder, `${folder}-away`);
    const attempts = [
      async () => await provider.wrapper.unwrap(made, call()),
      async () => await provider.describe(made.ref, call()),
      async () => await newKey(local, "AES-KWP", "op-2"),
      async () => await provider.list(call())[Symbol.asyncIterator]().next(),
    ];
    for (const attempt of attempts) {
      const fault = await faultOf(provider, attempt);
      expect(fault).toMatchObject({ failure: "OUTAGE", detail: `${join(folder, "token.json")} is missing` });
    }
    renameSync(`${folder}-away`, folder);
    expect((await provider.wrapper.unwrap(made, call())).value.equals(made.payload)).toBe(true);
  });

  it("is an OUTAGE after renew too, until the folder is back and it is renewed again", async () => {
    const local = await openLocal();
    const { provider, folder } = local;
    const { canary } = await provider.identify(call());
    renameSync(folder, `${folder}-away`);
    provider.renew();
    await expect(stat(join(folder, "token.json"))).rejects.toThrow("ENOENT"); // so has the reopening failed, for which nobody waits
    await new Promise(setImmediate);
    const probe = async () => {
      await provider.probe(canary, call());
    };
    expect((await faultOf(provider, probe)).failure).toBe("OUTAGE");
    renameSync(`${folder}-away`, folder);
    provider.renew();
    await probe();
  });

  it("is an OUTAGE where another software hsm stands in its place", async () => {
    const dataFolder = freshFolder();
    const local = await openLocal({ dataFolder });
    const ref = await newKey(local, "AES-KWP");
    renameSync(local.folder, `${local.folder}-away`);
    await newKey(await openLocal({ dataFolder }), "AES-KWP", "op-2");
    const describeKey = async () => await local.provider.describe(ref, call());
    const expected = { failure: "OUTAGE", detail: `${local.folder} holds another software hsm now` };
    expect(await faultOf(local.provider, describeKey)).toMatchObject(expected);
    local.provider.renew();
    const list = async () => await listed(local.provider);
    for (const attempt of [describeKey, list]) expect(await faultOf(local.provider, attempt)).toMatchObject(expected);
  });

  it("reads its master key anew when it is renewed", async () => {
    const { provider, folder } = await openLocal();
    const { canary } = await provider.identify(call());
    chmodSync(join(folder, "master.key"), 0o644);
    await provider.probe(canary, call());
    provider.renew();
    const fault = await faultOf(provider, async () => await provider.describe(canary, call()));
    expect(fault).toMatchObject({ failure: "INTERNAL", nativeCode: "SealRefused" });
  });

  it("says that its token file is damaged", async () => {
    const { provider, folder } = await openLocal();
    writeFileSync(join(folder, "token.json"), "{}");
    provider.renew();
    const fault = await faultOf(provider, async () => await provider.identify(call()));
    expect(fault).toMatchObject({ failure: "INTERNAL", nativeCode: "TokenDamaged" });
  });
});

describe("a closed software hsm", () => {
  it("refuses every call", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    await local.provider[Symbol.asyncDispose]();
    const fault = await faultOf(local.provider, async () => await local.provider.describe(ref, call()));
    expect(fault).toMatchObject({ failure: "INTERNAL", nativeCode: "Closed" });
    rmSync(join(local.folder, "objects"), { recursive: true });
  });
});
