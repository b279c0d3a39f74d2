import { createCipheriv, createDecipheriv, createHash, type KeyObject, randomBytes } from "node:crypto";
import { invalidCiphertext } from "./failure.ts";

export type Context = ReadonlyMap<string, string>;

/** Which key, and which material of it, a blob was made under. */
export type BlobOrigin = { readonly keyId: string; readonly materialId: string };

/*
 * header = version 1 | kind 1 (0 single-Region, 1 multi-Region) | key id 16 | material id 32 | check 8
 * blob   = header | iv 12 | ciphertext | tag 16
 *
 * `check` is the first 8 bytes of SHA-256 of the header before it: no protection, but what was never a blob of ours is
 * known at once. AES-256-GCM binds the header and the framed context.
 */
const VERSION = 1;
const ORIGIN_BYTES = 50;
const HEADER_BYTES = ORIGIN_BYTES + 8;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export const sealBlob = (plaintext: Uint8Array, origin: BlobOrigin, use: BlobUse): Buffer => {
  const header = encodeHeader(origin);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", use.key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([header, frameContext(use.context)]));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, iv, sealed, cipher.getAuthTag()]);
};

export type BlobUse = { readonly key: KeyObject; readonly context: Context };

/** Opens a blob of `readOrigin`'s key and material. Whatever is wrong is InvalidCiphertextException. */
export const openBlob = (blob: Buffer, use: BlobUse): Buffer => {
  const body = blob.subarray(HEADER_BYTES);
  const iv = body.subarray(0, IV_BYTES);
  const sealed = body.subarray(IV_BYTES, body.length - TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", use.key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([blob.subarray(0, HEADER_BYTES), frameContext(use.context)]));
  decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
};

/** Reads who made a blob, without opening it; undefined if it is none. */
export const readOrigin = (blob: Buffer): BlobOrigin | undefined => {
  if (blob.length < HEADER_BYTES + IV_BYTES + TAG_BYTES || blob[0] !== VERSION) return undefined;
  const origin = blob.subarray(0, ORIGIN_BYTES);
  if (!checkOf(origin).equals(blob.subarray(ORIGIN_BYTES, HEADER_BYTES))) return undefined;
  const id = blob.toString("hex", 2, 18);
  return {
    keyId: blob[1] === 1 ? `mrk-${id}` : id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    materialId: blob.toString("hex", 18, ORIGIN_BYTES),
  };
};

/**
 * The encryption context as bytes: a count, then each key and value with its length before it, in the byte order of the
 * keys. So {a:"1",b:"2"} and {a:"1b2"} differ, and the order of the caller's map does not matter.
 */
const frameContext = (context: Context): Buffer => {
  const entries = [...context].map((pair) => pair.map((part) => Buffer.from(part, "utf8")));
  entries.sort(([a], [b]) => Buffer.compare(a ?? Buffer.alloc(0), b ?? Buffer.alloc(0)));
  return Buffer.concat([uint32(entries.length), ...entries.flat().flatMap((part) => [uint32(part.length), part])]);
};

const encodeHeader = ({ keyId, materialId }: BlobOrigin): Buffer => {
  const multiRegion = keyId.startsWith("mrk-");
  const id = Buffer.from(keyId.replace("mrk-", "").replaceAll("-", ""), "hex");
  const origin = Buffer.concat([Buffer.from([VERSION, multiRegion ? 1 : 0]), id, Buffer.from(materialId, "hex")]);
  return Buffer.concat([origin, checkOf(origin)]);
};

const checkOf = (bytes: Buffer): Buffer =>
  createHash("sha256")
    .update(bytes)
    .digest()
    .subarray(0, HEADER_BYTES - ORIGIN_BYTES);

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
