import { expect, it } from "vitest";
import { call, credentials, faultOfRejected, listed, openPair, openProvider } from "./open.ts";

it("the first identify makes the canary, later ones find it", async () => {
  const { fake, provider } = await openPair();
  const first = await provider.identify(call());
  expect(first.uid).toBe(`aws-kms:${first.canary}`);
  expect(first.canary).toMatch(/^arn:aws:kms:us-east-1:111122223333:key\//u);
  const again = await openProvider({ endpoint: fake.endpoint });
  expect(await again.identify(call())).toEqual(first);
  expect(fake.calls.count("CreateKey")).toBe(1);
});

it("gateways that identify at once agree on one canary", async () => {
  const { provider } = await openPair();
  const found = await Promise.all(Array.from({ length: 6 }, async () => await provider.identify(call())));
  expect(new Set(found.map(({ uid }) => uid)).size).toBe(1);
  const usable = (await listed(provider)).filter(({ observed }) => observed === "enabled");
  expect(usable.map(({ ref }) => ref)).toEqual([found[0]?.canary]);
});

it("identify is denied where the credentials may not make the canary", async () => {
  const { fake, provider } = await openPair({ credentials: { data: credentials() } });
  fake.faults.add({ kind: "access-denied", operation: "CreateKey" });
  expect((await faultOfRejected(provider, provider.identify(call()))).failure).toBe("DENIED");
});

it("a canary that works is probed with one Encrypt and one Decrypt", async () => {
  const { fake, provider } = await openPair();
  const { canary } = await provider.identify(call());
  fake.calls.clear();
  await provider.probe(canary, call());
  expect(fake.calls.counts).toEqual({ Encrypt: 1, Decrypt: 1 });
});

it("a canary that opens to other bytes is an outage", async () => {
  const { fake, provider } = await openPair();
  const { canary } = await provider.identify(call());
  fake.faults.add({ kind: "wrong-plaintext" });
  expect((await faultOfRejected(provider, provider.probe(canary, call()))).failure).toBe("OUTAGE");
});

it("a canary that is disabled is STATE", async () => {
  const { provider } = await openPair();
  const { canary } = await provider.identify(call());
  await provider.keys.disable(canary, call());
  expect((await faultOfRejected(provider, provider.probe(canary, call()))).failure).toBe("STATE");
});

it("random bytes are as many as asked for, in a buffer of their own", async () => {
  const { provider } = await openPair();
  for (const length of [1, 32, 1024]) {
    const { value, requestId } = await provider.random.randomBytes(length, call());
    expect(value.buffer.byteLength).toBe(length);
    expect(requestId).toEqual(expect.any(String));
  }
});

it("0, 1025 or half a random byte are refused before the call", async () => {
  const { fake, provider } = await openPair();
  for (const length of [0, 1025, 0.5, Number.NaN]) {
    expect((await faultOfRejected(provider, provider.random.randomBytes(length, call()))).failure).toBe("INTERNAL");
  }
  expect(fake.calls.count()).toBe(0);
});
