import { expect, it } from "vitest";
import type { Uuid } from "#core/ids.ts";
import type { WrapContext } from "#core/provider.ts";
import { call, faultOfRejected, openPair } from "./open.ts";

const context: WrapContext = {
  branch: "0198c6f0-0000-7000-8000-000000000001" as Uuid,
  branchVersion: 12,
  recipient: "0198c6f0-0000-7000-8000-000000000002" as Uuid,
  digest: Buffer.alloc(32, 1),
};
const payload = Buffer.alloc(72, 0x5a);

it("a wrap opens to its payload, in a buffer of its own", async () => {
  const { provider } = await openPair();
  const { canary: ref } = await provider.identify(call());
  const { value: wrap } = await provider.wrapper.wrap({ ref, payload, context }, call());
  const opened = await provider.wrapper.unwrap({ ref, wrap, context }, call());
  expect(opened.value).toEqual(payload);
  expect(opened.value.buffer.byteLength).toBe(72);
  expect(payload).toEqual(Buffer.alloc(72, 0x5a));
});

it("a wrap is bound to branch, version and recipient, as text", async () => {
  const { fake, provider } = await openPair();
  const { canary: ref } = await provider.identify(call());
  await provider.wrapper.wrap({ ref, payload, context }, call());
  expect(fake.calls.of("Encrypt")[0]?.input["EncryptionContext"]).toEqual({
    "claviger:branch": "0198c6f0-0000-7000-8000-000000000001",
    "claviger:version": "12",
    "claviger:recipient": "0198c6f0-0000-7000-8000-000000000002",
  });
});

it.for([
  { name: "branch", change: { branch: "0198c6f0-0000-7000-8000-000000000003" as Uuid } },
  { name: "version", change: { branchVersion: 1 } },
  { name: "recipient", change: { recipient: "0198c6f0-0000-7000-8000-000000000003" as Uuid } },
])("another $name does not open it", async ({ change }) => {
  const { provider } = await openPair();
  const { canary: ref } = await provider.identify(call());
  const { value: wrap } = await provider.wrapper.wrap({ ref, payload, context }, call());
  const opening = provider.wrapper.unwrap({ ref, wrap, context: { ...context, ...change } }, call());
  expect((await faultOfRejected(provider, opening)).failure).toBe("INVALID");
});
