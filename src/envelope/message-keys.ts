import { createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { ciphertextInvalid } from "#core/errors.ts";
import { HEADER_BYTES } from "./header.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled } from "./info.ts";
import { KEY_BYTES } from "./key-bytes.ts";

/** Header 25, message id 32, commitment 32: before the frames of suites 01 and 02. */
export const PREAMBLE_BYTES = 89;
const COMMITMENT_AT = HEADER_BYTES + 32;
const LABEL = labelled("claviger/1 message");

/** Writes header, message id and commitment into `out`, and gives the key of the frames. */
export function beginSealing(
  out: Buffer,
  parts: {
    readonly versionKey: Uint8Array;
    readonly header: Uint8Array;
    readonly messageId: Uint8Array;
    readonly contextDigest: Uint8Array;
  },
): KeyObject {
  const { frameKey, commitment } = deriveMessageKeys(parts);
  out.set(parts.header, 0);
  out.set(parts.messageId, HEADER_BYTES);
  out.set(commitment, COMMITMENT_AT);
  return frameKey;
}

/**
 * Gives the key of the frames of `bytes`, at least {@link PREAMBLE_BYTES} long, once its commitment fits.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`
 */
export function beginOpening(
  bytes: Uint8Array,
  { versionKey, contextDigest }: { readonly versionKey: Uint8Array; readonly contextDigest: Uint8Array },
): KeyObject {
  const header = bytes.subarray(0, HEADER_BYTES);
  const messageId = bytes.subarray(HEADER_BYTES, COMMITMENT_AT);
  const { frameKey, commitment } = deriveMessageKeys({ versionKey, header, messageId, contextDigest });
  if (!timingSafeEqual(commitment, bytes.subarray(COMMITMENT_AT, PREAMBLE_BYTES))) throw ciphertextInvalid();
  return frameKey;
}

type Derivation = {
  readonly versionKey: Uint8Array;
  readonly header: Uint8Array;
  readonly messageId: Uint8Array;
  readonly contextDigest: Uint8Array;
};

function deriveMessageKeys({ versionKey, header, messageId, contextDigest }: Derivation): {
  readonly frameKey: KeyObject;
  readonly commitment: Buffer;
} {
  const info = Buffer.concat([LABEL, header, contextDigest]);
  const okm = hkdfSha512({ key: versionKey, salt: messageId, info, length: 64 });
  const secret = okm.subarray(0, KEY_BYTES);
  const frameKey = createSecretKey(secret);
  secret.fill(0);
  return { frameKey, commitment: okm.subarray(KEY_BYTES) };
}
