import { createHash } from "node:crypto";
import { type KeyId, type Uuid, uuidBytes, uuidFromBytes, uuidOfKey } from "#core/ids.ts";

/**
 * The id of a recipient follows from what it is for, so that two processes, or one that was killed between a cloud's answer and our row, mean
 * the same one: a UUIDv8 (RFC 9562 § 5.8) of a hash of namespace, dedicated key and provider.
 */
export function recipientId(purpose: {
  readonly namespace: Uuid;
  /** The key that has the recipient alone, if one does. */
  readonly dedicatedTo: KeyId | null;
  readonly providerUid: string;
}): Uuid {
  const hash = createHash("sha256").update("claviger/1 recipient\0").update(uuidBytes(purpose.namespace));
  if (purpose.dedicatedTo !== null) hash.update(uuidBytes(uuidOfKey(purpose.dedicatedTo)));
  const bytes = hash.update("\0").update(purpose.providerUid, "utf8").digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
}
