import { hash, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { type Uuid, uuidBytes, uuidFromBytes } from "#core/ids.ts";
import type { Provider, WrapContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { damaged, expectAllInvalid } from "./attack.ts";
import { call, expectOwned, expectUnsupported, type ProviderTests, type Subject } from "./subject.ts";

const PAYLOAD_BYTES = 72;

export const wrapperTests: ProviderTests = ({ capabilities }) => [
  {
    name: "unwrap opens what wrap made, from each handle, in a buffer of the caller's own",
    run: async (subject) => {
      const { provider, second } = subject;
      const { ref, payload, context, wrap } = await wrapped(subject);
      for (const handle of [provider, second]) {
        const opened = await handle.wrapper.unwrap({ ref, wrap, context }, call());
        expect(opened.value.equals(payload)).toBe(true);
        expectOwned(opened.value);
      }
    },
  },
  {
    name: "a wrap does not show its payload, and leaves it as it was",
    run: async (subject) => {
      const { payload, before, wrap } = await wrapped(subject);
      expect(payload.equals(before)).toBe(true);
      for (let at = 0; at < PAYLOAD_BYTES; at += 8) expect(wrap.includes(payload.subarray(at, at + 8))).toBe(false);
    },
  },
  {
    name: "unwrap refuses another recipient, another context, and every changed or missing byte, in the same words",
    run: async (subject) => {
      const { provider, sizes } = subject;
      const { ref, ids, context, wrap } = await wrapped(subject);
      const other = await recipient(subject, "second");
      const open = (input: { ref: NativeRef; wrap: Uint8Array; context: WrapContext }) => async () =>
        await provider.wrapper.unwrap(input, call());
      await expectAllInvalid(provider, [
        open({ ref: other, wrap, context }),
        ...otherContexts(ids).map((changed) => open({ ref, wrap, context: changed })),
        ...[...damaged(wrap, sizes)].map((bytes) => open({ ref, wrap: bytes, context })),
      ]);
    },
  },
  {
    name: "a wrap that is longer than any is refused like any other",
    run: async (subject) => {
      const { provider } = subject;
      const { ref, context } = await wrapped(subject);
      const wrap = randomBytes(maxBytes(subject, "unwrap") + 8);
      await expectAllInvalid(provider, [async () => await provider.wrapper.unwrap({ ref, wrap, context }, call())]);
    },
  },
  {
    name: "wrap takes as many bytes as it declares",
    run: async (subject) => {
      const { provider } = subject;
      const ref = await recipient(subject);
      const context = contextOf(freshIds());
      const payload = randomBytes(maxBytes(subject, "wrap"));
      const { value: wrap } = await provider.wrapper.wrap({ ref, payload, context }, call());
      expect((await provider.wrapper.unwrap({ ref, wrap, context }, call())).value.equals(payload)).toBe(true);
    },
  },
  {
    name: "wrap refuses more bytes than it declares, before the call",
    run: async (subject) => {
      const { provider, harness } = subject;
      const payload = randomBytes(maxBytes(subject, "wrap") + 1);
      const input = { ref: harness.unknownRef, payload, context: contextOf(freshIds()) };
      await expectUnsupported(provider, async () => await provider.wrapper.wrap(input, call()));
    },
  },
  {
    name: "the algorithm of recipients is one that wraps",
    run: async () => {
      const algorithms = capabilities.rows.filter((row) => row.operation === "wrap").map((row) => row.algorithm);
      expect(algorithms).toContain(capabilities.recipientAlgorithm);
      await Promise.resolve();
    },
  },
];

type Ids = { readonly branch: Uuid; readonly branchVersion: number; readonly recipient: Uuid; readonly rest: Buffer };

/** One wrap with all that belongs to it. */
export async function wrapped(subject: Subject, ref?: NativeRef) {
  const key = ref ?? (await recipient(subject));
  const ids = freshIds();
  const payload = randomBytes(PAYLOAD_BYTES);
  const before = Buffer.from(payload);
  const context = contextOf(ids);
  const { value: wrap } = await subject.provider.wrapper.wrap({ ref: key, payload, context }, call());
  return { ref: key, ids, payload, before, context, wrap };
}

/** Unwraps and says whether the payload came back. */
export async function opens(provider: Provider, made: Awaited<ReturnType<typeof wrapped>>): Promise<boolean> {
  return (await provider.wrapper.unwrap(made, call())).value.equals(made.payload);
}

async function recipient({ sharedKey, harness }: Subject, which?: "first" | "second"): Promise<NativeRef> {
  return await sharedKey(harness.capabilities.recipientAlgorithm, which);
}

function freshIds(): Ids {
  const uuid = () => uuidFromBytes(randomBytes(16));
  return { branch: uuid(), branchVersion: 7, recipient: uuid(), rest: randomBytes(32) };
}

/** Stands in for the wrap context of keys.md: its digest changes with each of its members. */
function contextOf(ids: Ids): WrapContext {
  const { branch, branchVersion, recipient: recipientId, rest } = ids;
  const bytes = [uuidBytes(branch), Buffer.from([branchVersion]), uuidBytes(recipientId), rest];
  return { branch, branchVersion, recipient: recipientId, digest: hash("sha256", Buffer.concat(bytes), "buffer") };
}

function otherContexts(ids: Ids): WrapContext[] {
  const other = freshIds();
  return [
    contextOf({ ...ids, branch: other.branch }),
    contextOf({ ...ids, branchVersion: ids.branchVersion + 1 }),
    contextOf({ ...ids, recipient: other.recipient }),
  ];
}

function maxBytes({ harness }: Subject, operation: "wrap" | "unwrap"): number {
  const { rows, recipientAlgorithm } = harness.capabilities;
  const row = rows.find((one) => one.operation === operation && one.algorithm === recipientAlgorithm);
  return row?.maxInputBytes ?? expect.fail(`no row for ${operation}`);
}
