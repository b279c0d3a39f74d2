/**
 * The domain separation of format 1: every derivation's info and every hashed prefix is an ASCII label, a zero byte, and fields of fixed
 * length, so that no two uses share bytes (docs/format.md § 1).
 */
export type Label =
  | "claviger/1 message"
  | "claviger/1 message id"
  | "claviger/1 seal"
  | "claviger/1 wrap"
  | "claviger/1 mac"
  | "claviger/1 commitment"
  | "claviger/1 root commitment"
  | "claviger/1 secret";

/** `label || 00 || parts`. */
export function labelled(label: Label, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(`${label}\0`, "latin1"), ...parts]);
}

/** A big-endian unsigned 32-bit integer. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
