import { type Answered, presentBytes } from "./present.ts";

/** Secret bytes of an answer in an unpooled buffer that the caller owns. The SDK's copy, which may lie in Node's pool, is zeroed. */
export function takeBytes(value: unknown, about: { readonly field: string; readonly answer: Answered }): Buffer {
  const bytes = presentBytes(value, about);
  const own = Buffer.alloc(bytes.length);
  own.set(bytes);
  bytes.fill(0);
  return own;
}
