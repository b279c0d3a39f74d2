import { describe, expect, it } from "vitest";
import { localCanary } from "#providers/local-hsm/canary.ts";
import { call, faultOf } from "../../../conformance/provider/subject.ts";
import { newKey, newWrap, openLocal } from "./local.ts";

describe("the wrapper", () => {
  it("wraps something, bound to 32 bytes", async () => {
    const local = await openLocal();
    const { ref, payload, context } = await newWrap(local, await newKey(local, "AES-KWP"));
    const { wrapper } = local.provider;
    const short = { ...context, digest: context.digest.subarray(1) };
    for (const input of [
      { ref, payload: Buffer.alloc(0), context },
      { ref, payload, context: short },
    ]) {
      const fault = await faultOf(local.provider, async () => await wrapper.wrap(input, call()));
      expect(fault).toMatchObject({ failure: "INTERNAL", detail: expect.stringMatching(/^unsupported/u) as string });
    }
  });

  it("adds eight bytes to a payload of 72", async () => {
    const local = await openLocal();
    expect((await newWrap(local, await newKey(local, "AES-KWP"))).wrap).toHaveLength(80);
  });
});

describe("a probe", () => {
  it("rejects if the canary opens its wrap to something else", async () => {
    const { provider, sources } = await openLocal();
    const wrong = async () => await Promise.resolve({ value: Buffer.alloc(32), requestId: null });
    const spoilt = { ...provider.wrapper, unwrap: wrong };
    const parts = { sources, wrapper: spoilt } as unknown as Parameters<typeof localCanary>[0];
    const { canary } = await provider.identify(call());
    await expect(localCanary(parts).probe(canary, call())).rejects.toThrow("did not open its own wrap");
  });
});
