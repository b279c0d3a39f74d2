import { hash, timingSafeEqual } from "node:crypto";
import { ProviderError } from "#core/failures.ts";
import { uuidBytes, type Uuid } from "#core/ids.ts";
import type { WrapContext } from "#core/provider.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled, uint32 } from "./info.ts";
import { checkKey, KEY_BYTES, unpooledCopy } from "./key-bytes.ts";

/** What a wrap belongs to: UUIDs, never operators' names, so that renaming breaks nothing. */
export type WrapIds = {
  readonly namespace: Uuid;
  readonly branch: Uuid;
  readonly branchVersion: number;
  readonly recipient: Uuid;
};

const WRAP_PAYLOAD_BYTES = 72;

/** `"CLBK"`, 01, kind 00 (a whole key), threshold 0, x 0. */
const PREFIX = Buffer.from("434c424b01000000", "hex");
const ZERO_ID = Buffer.alloc(16);

/** "claviger/1 wrap" || 00 || namespace id || branch id || branch version u32 || recipient id || sharing id (zeros: a whole key). */
export function wrapContextBytes(ids: WrapIds): Buffer {
  return wrapContextFor(ids, uuidBytes(ids.recipient));
}

/** What a recipient's provider binds the wrap to. */
export function wrapContextDigest(ids: WrapIds): WrapContext {
  const { branch, branchVersion, recipient } = ids;
  return { branch, branchVersion, recipient, digest: hash("sha256", wrapContextBytes(ids), "buffer") };
}

/** The 72 bytes that a recipient wraps: an unpooled buffer that the caller zeroes once it is wrapped. */
export function writeWrapPayload({ key, ids }: { readonly key: Uint8Array; readonly ids: WrapIds }): Buffer {
  checkKey(key);
  const payload = Buffer.allocUnsafeSlow(WRAP_PAYLOAD_BYTES);
  payload.set(PREFIX, 0);
  payload.set(key, PREFIX.length);
  payload.set(wrapContextDigest(ids).digest, PREFIX.length + KEY_BYTES);
  return payload;
}

/**
 * Takes the branch key out of an unwrapped payload. RSA wraps authenticate nothing, so whatever a provider opened is checked here.
 *
 * The key is an unpooled buffer that the caller owns and zeroes; the payload stays the caller's.
 *
 * @throws {ProviderError} `BAD_WRAP` for a payload of another form, of another context, or whose key misses the commitment
 */
export function openWrapPayload(input: {
  readonly payload: Uint8Array;
  readonly ids: WrapIds;
  /** As recorded for the branch version, 32 bytes. */
  readonly commitment: Uint8Array;
}): Buffer {
  const { payload, ids, commitment } = input;
  if (payload.length !== WRAP_PAYLOAD_BYTES) throw badWrap("the payload has another length");
  if (!PREFIX.equals(payload.subarray(0, PREFIX.length))) throw badWrap("the payload is not that of a branch key");
  const keyEnd = PREFIX.length + KEY_BYTES;
  if (!same(payload.subarray(keyEnd), wrapContextDigest(ids).digest)) throw badWrap("the wrap belongs elsewhere");
  const bytes = payload.subarray(PREFIX.length, keyEnd);
  if (bytes.every((byte) => byte === 0)) throw badWrap("the payload has no key");
  const key = unpooledCopy(bytes);
  if (same(branchCommitment({ key, ids }), commitment)) return key;
  key.fill(0);
  throw badWrap("the key misses its commitment");
}

/**
 * The 32 bytes by which a branch key is known again, the same for all its recipients: HKDF-SHA-512(key, "", "claviger/1 commitment" || 00 ||
 * wrap context with the recipient zeroed, 32). Public: it is in the journal.
 */
export function branchCommitment(input: {
  readonly key: Uint8Array;
  readonly ids: Omit<WrapIds, "recipient">;
}): Buffer {
  const info = labelled("claviger/1 commitment", wrapContextFor(input.ids, ZERO_ID));
  return hkdfSha512({ key: input.key, info, length: 32 });
}

function wrapContextFor(ids: Omit<WrapIds, "recipient">, recipient: Uint8Array): Buffer {
  const { namespace, branch, branchVersion } = ids;
  return labelled(
    "claviger/1 wrap",
    uuidBytes(namespace),
    uuidBytes(branch),
    uint32(branchVersion),
    recipient,
    ZERO_ID,
  );
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function badWrap(detail: string): ProviderError {
  return new ProviderError({ failure: "BAD_WRAP", detail });
}
