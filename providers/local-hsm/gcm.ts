import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";
import { invalidBytes } from "./errors.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;

export const GCM_OVERHEAD_BYTES = IV_BYTES + TAG_BYTES;

type SealGcmInput = {
  /** 16, 24 or 32 bytes. */
  readonly key: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly context: Context;
  /** 12 bytes from the kernel. */
  readonly iv: Uint8Array;
};

/**
 * Encrypts with raw AES-GCM: iv 12 || ciphertext || tag 16. Additional data given as bytes is used as it is, so that other
 * implementations open it; a map has the bytes of its encoding, and no context is empty additional data.
 * The IV is random and its caller counts (SP 800-38D § 8.2.2, § 8.3). Not safe in cloned machines whose kernels do not reseed.
 */
export function sealGcm({ key, plaintext, context, iv }: SealGcmInput): Buffer {
  const cipher = createCipheriv(cipherOf(key), key, iv);
  cipher.setAAD(additionalDataOf(context));
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what {@link sealGcm} made, in an unpooled buffer.
 *
 * @throws {LocalHsmError} `InvalidBytes` for anything else, indistinguishably.
 */
export function openGcm(input: { key: Uint8Array; ciphertext: Uint8Array; context: Context }): Buffer {
  const { key, ciphertext, context } = input;
  if (ciphertext.length < GCM_OVERHEAD_BYTES) throw invalidBytes();
  const tagAt = ciphertext.length - TAG_BYTES;
  const decipher = createDecipheriv(cipherOf(key), key, ciphertext.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalDataOf(context));
  decipher.setAuthTag(ciphertext.subarray(tagAt));
  const plaintext = decipher.update(ciphertext.subarray(IV_BYTES, tagAt));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw invalidBytes();
  }
}

function cipherOf(key: Uint8Array): CipherGCMTypes {
  return `aes-${key.length * 8}-gcm` as CipherGCMTypes;
}

function additionalDataOf(context: Context): Uint8Array {
  if (context.kind === "bytes") return context.bytes;
  const isNone = context.kind === "none" || context.pairs.size === 0;
  return isNone ? Buffer.alloc(0) : encodeContext(context);
}
