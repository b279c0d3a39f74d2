/** Whether the bytes are one DER SEQUENCE and nothing after it: OpenSSL reads over what follows (X.690 § 8.1.3, § 10.1). */
export function isOneSequence(bytes: Uint8Array): boolean {
  const [tag, length] = bytes;
  if (tag !== SEQUENCE || length === undefined) return false;
  if (length < 0x80) return bytes.length === 2 + length;
  const octets = bytes.subarray(2, 2 + (length & 0x7f));
  if (octets.length === 0 || octets.length > MAX_LENGTH_OCTETS) return false;
  const content = octets.reduce((sum, octet) => sum * 0x100 + octet, 0);
  return bytes.length === 2 + octets.length + content;
}

const SEQUENCE = 0x30;
const MAX_LENGTH_OCTETS = 3;
