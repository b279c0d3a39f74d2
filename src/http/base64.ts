/**
 * Reads base64 in its one canonical form: RFC 4648 § 4, padded, zero trailing bits, no white space.
 * Undefined for anything else; the result is a buffer that the caller owns.
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
