import { looksLikeCiphertext, readCiphertext, writeCiphertext } from "#broker/ciphertext-text.ts";
import type { CiphertextFormat } from "#broker/format.ts";
import { KmsError } from "#core/errors.ts";
import { decodeBase64 } from "#http/base64.ts";

type Ciphertext = { readonly ciphertext: Buffer; readonly bare?: boolean };

/** How a ciphertext is written: our frames as text, a provider's own bytes in base64. */
export function ciphertextText({ ciphertext, bare = false }: Ciphertext): string {
  return bare ? ciphertext.toString("base64") : writeCiphertext(ciphertext);
}

/** An answer with a ciphertext in it. */
export function ciphertextJson({ bare, ciphertext, ...rest }: Ciphertext): object {
  return { ciphertext: ciphertextText({ ciphertext, bare: bare ?? false }), ...rest };
}

/**
 * Refuses what can be no ciphertext of its format by its form.
 * @throws {KmsError} `INVALID_ARGUMENT`
 */
export function requireReadable(field: string, text: string, format: CiphertextFormat): void {
  if (format === "native" ? decodeBase64(text) !== undefined : looksLikeCiphertext(text)) return;
  const detail =
    format === "native"
      ? "wanted canonical padded base64 (RFC 4648 section 4)"
      : "wanted a text that begins with clv1.";
  throw new KmsError("INVALID_ARGUMENT", `${field}: ${detail}`, {
    errors: [{ pointer: `/${field}`, code: "format", detail }],
  });
}

/** The bytes of a ciphertext; undefined for a text that is no frame, which then fails like every bad ciphertext. */
export function readBytes(text: string, format: CiphertextFormat): Buffer | undefined {
  return format === "native" ? decodeBase64(text) : readCiphertext(text);
}
