import { describe, expect, it } from "vitest";
import { algorithmsWith, flipped, makeKey } from "./algorithms.ts";
import { call, faultOfRejected, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const message = Buffer.from("pay 100 to Alice");

describe("mac and verifyMac", () => {
  it.for(algorithmsWith("mac"))("%s: a mac is whole, and fits its message alone", async (algorithm) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const { value: mac, requestId } = await provider.mac.mac({ ref, algorithm, message }, call());
    expect(mac).toHaveLength(Number(algorithm.slice("HMAC-SHA-".length)) / 8);
    expect(fake.calls.of("GenerateMac")).toMatchObject([{ keyId: ref, requestId }]);
    const verdict = async (change: object) =>
      (await provider.mac.verifyMac({ ref, algorithm, message, mac, ...change }, call())).value;
    expect(await verdict({})).toBe(true);
    expect(await verdict({ message: flipped(message) })).toBe(false);
    expect(await verdict({ mac: flipped(mac) })).toBe(false);
    expect(await verdict({ mac: mac.subarray(0, -1) })).toBe(false);
    expect(await verdict({ mac: Buffer.alloc(0) })).toBe(false);
    expect(await verdict({ mac: Buffer.alloc(6145) })).toBe(false);
  });

  it("a mac that fits has the request id of its check", async () => {
    const { fake, provider } = await openPair();
    const input = { ref: await makeKey(provider, "HMAC-SHA-256"), algorithm: "HMAC-SHA-256", message } as const;
    const { value: mac } = await provider.mac.mac(input, call());
    const verdict = await provider.mac.verifyMac({ ...input, mac }, call());
    expect(verdict).toEqual({ value: true, requestId: fake.calls.of("VerifyMac")[0]?.requestId });
  });

  it("an answer without a mac or a verdict is an outage", async () => {
    const provider = await openProvider({ endpoint: await serve(() => ({ body: "{}" })) });
    const input = { ref: "arn", algorithm: "HMAC-SHA-256", message } as const;
    const asking = [provider.mac.mac(input, call()), provider.mac.verifyMac({ ...input, mac: message }, call())];
    for (const asked of asking) expect((await faultOfRejected(provider, asked)).failure).toBe("OUTAGE");
  });

  it("a 200 that says false, as emulators do, is false", async () => {
    const provider = await openProvider({ endpoint: await serve(() => ({ body: `{"MacValid":false}` })) });
    const input = { ref: "arn", algorithm: "HMAC-SHA-256", message, mac: message } as const;
    expect((await provider.mac.verifyMac(input, call())).value).toBe(false);
  });

  it.for([
    { name: "another algorithm", algorithm: "AES-256-OPAQUE", bytes: 1 },
    { name: "4097 bytes", algorithm: "HMAC-SHA-256", bytes: 4097 },
    { name: "nothing", algorithm: "HMAC-SHA-256", bytes: 0 },
  ] as const)("$name is refused before the call", async ({ algorithm, bytes }) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm, message: Buffer.alloc(bytes) };
    const asking = [provider.mac.mac(input, call()), provider.mac.verifyMac({ ...input, mac: message }, call())];
    for (const asked of asking) {
      const { failure, detail } = await faultOfRejected(provider, asked);
      expect({ failure, detail }).toEqual({ failure: "INTERNAL", detail: expect.stringMatching(/^unsupported: /u) });
    }
    expect(fake.calls.count()).toBe(0);
  });

  it("a disabled key is STATE", async () => {
    const { provider } = await openPair();
    const input = { ref: await makeKey(provider, "HMAC-SHA-256"), algorithm: "HMAC-SHA-256", message } as const;
    const { value: mac } = await provider.mac.mac(input, call());
    await provider.keys.disable(input.ref, call());
    const asking = [provider.mac.mac(input, call()), provider.mac.verifyMac({ ...input, mac }, call())];
    for (const asked of asking) expect((await faultOfRejected(provider, asked)).failure).toBe("STATE");
  });
});
