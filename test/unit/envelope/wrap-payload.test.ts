import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ProviderError } from "#core/failures.ts";
import {
  branchCommitment,
  openWrapPayload,
  wrapContextBytes,
  wrapContextDigest,
  writeWrapPayload,
  type WrapIds,
} from "#envelope/wrap-payload.ts";
import { BRANCH, BRANCH_KEY, flipped, NAMESPACE, OTHER_ID, RECIPIENT } from "./fixtures.ts";

const ids: WrapIds = { namespace: NAMESPACE, branch: BRANCH, branchVersion: 2, recipient: RECIPIENT };
const commitment = branchCommitment({ key: BRANCH_KEY, ids });
const payload = writeWrapPayload({ key: BRANCH_KEY, ids });

const faultOf = (changes: Partial<Parameters<typeof openWrapPayload>[0]>): string => {
  try {
    openWrapPayload({ payload, ids, commitment, ...changes });
  } catch (error) {
    if (error instanceof ProviderError) return error.fault.failure;
  }
  return "none";
};

describe("the payload of a wrap", () => {
  it("is 72 bytes: magic, a whole key, the hash of its context", () => {
    const digest = createHash("sha256").update(wrapContextBytes(ids)).digest();
    expect(payload).toEqual(Buffer.concat([Buffer.from("CLBK\u0001\0\0\0", "latin1"), BRANCH_KEY, digest]));
    expect(payload.buffer.byteLength).toBe(72);
    expect(wrapContextDigest(ids)).toEqual({ branch: BRANCH, branchVersion: 2, recipient: RECIPIENT, digest });
  });

  it("opens to the branch key, in a buffer of its own, and stays the caller's", () => {
    const before = Buffer.from(payload);
    const key = openWrapPayload({ payload, ids, commitment });
    expect(key).toEqual(BRANCH_KEY);
    expect(key.buffer.byteLength).toBe(32);
    expect(payload).toEqual(before);
  });

  it("is a bad wrap with any bit flipped and at any other length", () => {
    for (let bit = 0; bit < 72 * 8; bit += 1) expect(faultOf({ payload: flipped(payload, bit) })).toBe("BAD_WRAP");
    for (let length = 0; length < 72; length += 1) {
      expect(faultOf({ payload: payload.subarray(0, length) })).toBe("BAD_WRAP");
    }
    expect(faultOf({ payload: Buffer.concat([payload, Buffer.of(0)]) })).toBe("BAD_WRAP");
  });

  it.each<{ name: string; moved: Partial<WrapIds> }>([
    { name: "another namespace", moved: { namespace: OTHER_ID } },
    { name: "another branch", moved: { branch: OTHER_ID } },
    { name: "another branch version", moved: { branchVersion: 1 } },
    { name: "another recipient", moved: { recipient: OTHER_ID } },
  ])("is a bad wrap at $name", ({ moved }) => {
    expect(faultOf({ ids: { ...ids, ...moved } })).toBe("BAD_WRAP");
  });

  it("is a bad wrap if it was planted: a well-formed payload of another key", () => {
    const planted = writeWrapPayload({ key: flipped(BRANCH_KEY, 100), ids });
    expect(faultOf({ payload: planted })).toBe("BAD_WRAP");
    const noKey = Buffer.from(payload).fill(0, 8, 40);
    expect(faultOf({ payload: noKey })).toBe("BAD_WRAP");
  });

  it("is a bad wrap beside a commitment of another key or length", () => {
    expect(faultOf({ commitment: flipped(commitment, 0) })).toBe("BAD_WRAP");
    expect(faultOf({ commitment: commitment.subarray(0, 31) })).toBe("BAD_WRAP");
  });

  it.each([
    { name: "a share", at: 5, value: 1 },
    { name: "a threshold", at: 6, value: 2 },
    { name: "a share's number", at: 7, value: 1 },
    { name: "another format", at: 4, value: 2 },
  ])("is a bad wrap with $name", ({ at, value }) => {
    const other = Buffer.from(payload);
    other.writeUInt8(value, at);
    expect(faultOf({ payload: other })).toBe("BAD_WRAP");
  });
});

it("the commitment of a branch key is the same for every recipient, and another for every branch version", () => {
  expect(branchCommitment({ key: BRANCH_KEY, ids: { ...ids, recipient: OTHER_ID } as WrapIds })).toEqual(commitment);
  expect(branchCommitment({ key: BRANCH_KEY, ids: { ...ids, branchVersion: 3 } })).not.toEqual(commitment);
  expect(branchCommitment({ key: BRANCH_KEY, ids: { ...ids, namespace: OTHER_ID } })).not.toEqual(commitment);
});
