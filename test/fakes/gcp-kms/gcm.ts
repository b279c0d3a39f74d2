import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { decryptionFailed } from "./failure.ts";

export const IV_BYTES = 12;
export const TAG_BYTES = 16;

export type Use = { readonly secret: KeyObject; readonly iv: Uint8Array; readonly aad: Uint8Array };

/** AES-GCM: the ciphertext with its tag behind it. */
export const sealGcm = (plaintext: Uint8Array, { secret, iv, aad }: Use): Buffer => {
  const cipher = createCipheriv(modeOf(secret), secret, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

export const openGcm = (sealed: Buffer, { secret, iv, aad }: Use): Buffer => {
  if (sealed.length < TAG_BYTES || iv.length !== IV_BYTES) throw decryptionFailed();
  const decipher = createDecipheriv(modeOf(secret), secret, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch {
    throw decryptionFailed();
  }
};

const modeOf = (secret: KeyObject): "aes-128-gcm" | "aes-256-gcm" =>
  secret.symmetricKeySize === 16 ? "aes-128-gcm" : "aes-256-gcm";
