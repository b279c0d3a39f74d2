import { KmsError } from "#core/errors.ts";
import { decodeText, encodeText, isCiphertextText } from "#envelope/text.ts";

/** The text form of a ciphertext, `clv1.…`: what a door with texts sends and takes. */
export function writeCiphertext(bytes: Buffer): string {
  return encodeText(bytes);
}

/** The bytes of a text that begins like one of ours; undefined if the rest is none, which then fails like every bad ciphertext. */
export function readCiphertext(text: string): Buffer | undefined {
  try {
    return decodeText(text);
  } catch (error) {
    if (error instanceof KmsError && error.code === "CIPHERTEXT_INVALID") return undefined;
    throw error;
  }
}

export function looksLikeCiphertext(text: string): boolean {
  return isCiphertextText(text);
}
