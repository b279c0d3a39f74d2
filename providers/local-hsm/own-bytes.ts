/** One unpooled buffer of all parts, which are zeroed: for secrets, whose memory nothing else may share. */
export function ownBytes(...parts: readonly Uint8Array[]): Buffer {
  const own = Buffer.alloc(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    own.set(part, at);
    at += part.length;
    part.fill(0);
  }
  return own;
}
