import { createHash } from "node:crypto";
import { isUuid, type Uuid, uuidBytes, uuidFromBytes } from "#core/ids.ts";
import type { NativeRef } from "#core/records.ts";
import { LocalHsmError } from "./errors.ts";

const LABEL = Buffer.from("claviger/1 local-hsm object\0");

/**
 * The object that carries a marker: a UUIDv8 (RFC 9562 § 5.8) of SHA-256(label || 00 || token id || marker). Two processes that create
 * the same marker at once therefore meet in one file.
 */
export function objectIdOf({ token, marker }: { readonly token: Uuid; readonly marker: string }): Uuid {
  const bytes = createHash("sha256").update(LABEL).update(uuidBytes(token)).update(marker).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
}

/** A reference is the object's UUID. What is no UUID names nothing, and never becomes a path. */
export function objectIdOfRef(ref: NativeRef): Uuid {
  if (!isUuid(ref)) throw keyNotFound();
  return ref;
}

export function keyNotFound(): LocalHsmError {
  return new LocalHsmError("KeyNotFound", "the software hsm has no such key");
}
