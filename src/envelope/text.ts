import { ciphertextInvalid } from "#core/errors.ts";

const PREFIX = "clv1.";

/** The text form of a ciphertext: `clv1.` and base64url without padding (RFC 4648 § 5). */
export function encodeText(bytes: Uint8Array): string {
  return PREFIX + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** Whether a text claims to be a ciphertext of ours. What does not is a wrong argument, not a bad ciphertext. */
export function isCiphertextText(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * Reads the text form. Strict: the bytes, encoded again, must give the same text, so that one binary has one text.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`
 */
export function decodeText(text: string): Buffer {
  if (!isCiphertextText(text)) throw ciphertextInvalid();
  const body = text.slice(PREFIX.length);
  const bytes = Buffer.from(body, "base64url");
  if (bytes.toString("base64url") !== body) throw ciphertextInvalid();
  return bytes;
}
