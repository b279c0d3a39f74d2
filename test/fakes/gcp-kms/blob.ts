import { createHash, type KeyObject, randomBytes } from "node:crypto";
import { IV_BYTES, openGcm, sealGcm, TAG_BYTES } from "./gcm.ts";

/*
 * header = version 1 | digest of the key's name 8 | version id 4 | check 8
 * blob   = header | iv 12 | ciphertext | tag 16
 *
 * `check` is the first 8 bytes of SHA-256 of the header before it: no protection, but what was never a blob of ours is
 * known at once. AES-256-GCM binds the header and the additional data.
 */
const FORMAT = 1;
const ORIGIN_BYTES = 13;
const HEADER_BYTES = ORIGIN_BYTES + 8;

export type Origin = { readonly keyName: string; readonly versionId: string };
export type BlobUse = { readonly secret: KeyObject; readonly aad: Uint8Array };

export const sealBlob = (plaintext: Uint8Array, { keyName, versionId }: Origin, { secret, aad }: BlobUse): Buffer => {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(Number(versionId));
  const origin = Buffer.concat([Buffer.from([FORMAT]), digest(Buffer.from(keyName)), id]);
  const header = Buffer.concat([origin, digest(origin)]);
  const iv = randomBytes(IV_BYTES);
  return Buffer.concat([header, iv, sealGcm(plaintext, { secret, iv, aad: Buffer.concat([header, aad]) })]);
};

/** Opens a blob that `readOrigin` knew. */
export const openBlob = (blob: Buffer, { secret, aad }: BlobUse): Buffer => {
  const header = blob.subarray(0, HEADER_BYTES);
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  return openGcm(blob.subarray(HEADER_BYTES + IV_BYTES), { secret, iv, aad: Buffer.concat([header, aad]) });
};

/** The version that made a blob of the named key; or that it was another key, or nobody. */
export const readOrigin = (blob: Buffer, keyName: string): { readonly versionId: string } | "none" | "other-key" => {
  if (blob.length < HEADER_BYTES + IV_BYTES + TAG_BYTES || blob[0] !== FORMAT) return "none";
  if (!digest(blob.subarray(0, ORIGIN_BYTES)).equals(blob.subarray(ORIGIN_BYTES, HEADER_BYTES))) return "none";
  if (!digest(Buffer.from(keyName)).equals(blob.subarray(1, 9))) return "other-key";
  return { versionId: String(blob.readUInt32BE(9)) };
};

const digest = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest().subarray(0, 8);
