import { createCipheriv, createDecipheriv, createHash, hkdfSync, timingSafeEqual } from "node:crypto";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";
import { invalidBytes } from "./errors.ts";

const LABEL = Buffer.from("claviger/1 local-hsm\0");
const ID_LABEL = Buffer.from("claviger/1 message id\0");
const CIPHER = "aes-256-gcm";
/** uint88(0) || 01: the first frame, and the last one. */
const IV = Buffer.from("000000000000000000000001", "hex");
const ID_BYTES = 32;
const COMMITMENT_BYTES = 32;
const TAG_BYTES = 16;
const HEAD_BYTES = ID_BYTES + COMMITMENT_BYTES;

export const OPAQUE_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES;

/** Randomness of one message: two clones of a process that draw the same differ unless the message is the same. */
export type MessageEntropy = { readonly processSecret: Uint8Array; readonly random: Uint8Array };

export type SealOpaqueInput = {
  readonly key: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly context: Context;
  readonly entropy: MessageEntropy;
};

/**
 * Encrypts one message as `AES-256-OPAQUE`: message id 32 || commitment 32 || frame, as suite 01 of keys.md with a label of its own
 * and no header. The key, message id and context derive the frame's key and the commitment; no nonce can repeat.
 */
export function sealOpaque({ key, plaintext, context, entropy }: SealOpaqueInput): Buffer {
  const contextDigest = digestOf(context);
  const id = createHash("sha256")
    .update(ID_LABEL)
    .update(entropy.processSecret)
    .update(entropy.random)
    .update(contextDigest)
    .update(plaintext)
    .digest();
  const { frameKey, commitment } = derive({ key, id, contextDigest });
  const cipher = createCipheriv(CIPHER, frameKey, IV);
  const frame = [cipher.update(plaintext), cipher.final()];
  frameKey.fill(0);
  return Buffer.concat([id, commitment, ...frame, cipher.getAuthTag()]);
}

/**
 * Opens what {@link sealOpaque} made, in an unpooled buffer.
 *
 * @throws {LocalHsmError} `InvalidBytes` for a wrong key, a wrong context or any changed byte, indistinguishably.
 */
export function openOpaque(input: { key: Uint8Array; ciphertext: Uint8Array; context: Context }): Buffer {
  const { key, ciphertext, context } = input;
  if (ciphertext.length < OPAQUE_OVERHEAD_BYTES) throw invalidBytes();
  const id = ciphertext.subarray(0, ID_BYTES);
  const { frameKey, commitment } = derive({ key, id, contextDigest: digestOf(context) });
  try {
    if (!timingSafeEqual(commitment, ciphertext.subarray(ID_BYTES, HEAD_BYTES))) throw invalidBytes();
    return openFrame(frameKey, ciphertext.subarray(HEAD_BYTES));
  } finally {
    frameKey.fill(0);
  }
}

function openFrame(frameKey: Uint8Array, frame: Uint8Array): Buffer {
  const decipher = createDecipheriv(CIPHER, frameKey, IV, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(frame.subarray(frame.length - TAG_BYTES));
  const plaintext = decipher.update(frame.subarray(0, frame.length - TAG_BYTES));
  try {
    decipher.final(); // GCM gives nothing more here; it throws if the tag does not fit
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw invalidBytes();
  }
}

function derive(input: { key: Uint8Array; id: Uint8Array; contextDigest: Uint8Array }) {
  const info = Buffer.concat([LABEL, input.contextDigest]);
  const okm = Buffer.from(hkdfSync("sha512", input.key, input.id, info, 64));
  return { frameKey: okm.subarray(0, 32), commitment: okm.subarray(32) };
}

function digestOf(context: Context): Buffer {
  return createHash("sha256").update(encodeContext(context)).digest();
}
