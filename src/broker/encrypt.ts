import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import type { KeyOperation } from "#core/purposes.ts";
import { seal } from "#envelope/portable.ts";
import { encryptNative } from "./native-cipher.ts";
import type { Caller } from "./caller.ts";
import type { Encrypted, EncryptItem } from "./ciphering.ts";
import { requireFrames } from "./format.ts";
import { versionOf } from "./key-reference.ts";
import {
  type ItemOutcome,
  operate,
  operateBatch,
  primaryVersion,
  requireOpen,
  type Served,
  type Usable,
} from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { versionKey } from "./version-key.ts";

/** The largest plaintext of a portable key, in bytes (api.md § 5, `maxPlaintextBytes`). */
export const MAX_PORTABLE_PLAINTEXT_BYTES = 524_288;

/**
 * Encrypts one plaintext under the primary version. `ciphertext` is a frame of format 1: suite 01, or 02 above 65,536 bytes, or 80 where a
 * provider holds the key.
 */
export async function encrypt(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  item: EncryptItem,
): Promise<Encrypted & Served> {
  return await operate(parts, caller, { key, operation: "encrypt", context: item.context }, (usable) =>
    protect(parts, caller, usable, "encrypt", item),
  );
}

export async function encryptBatch(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  items: readonly EncryptItem[],
): Promise<readonly ItemOutcome<Encrypted & Served>[]> {
  return await operateBatch(parts, caller, { key, operation: "encrypt" }, items, (usable, item) =>
    protect(parts, caller, usable, "encrypt", item),
  );
}

/** Encrypts under the primary version of a usable key; the gate of `operation` comes first. Synchronous while a portable key is warm. */
export function protect(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  operation: KeyOperation,
  item: EncryptItem,
): Encrypted | Promise<Encrypted> {
  const { key } = usable;
  const number = usable.named ?? primaryVersion(parts, key) ?? key.latestVersion;
  // a key whose version has no valid row is held, and says so
  requireOpen(parts, key, parts.catalog.version(key.id, number), operation);
  const version = versionOf(parts.catalog, key, number);
  if (key.custody.kind !== "portable") {
    parts.store.noteUse(key.id, parts.sources.clock.now());
    return encryptNative(parts, caller, usable, { version: number, item });
  }
  requireFrames(item.format);
  if (item.plaintext.length > MAX_PORTABLE_PLAINTEXT_BYTES) throw plaintextTooLarge(item.plaintext.length);
  const sealWith = (material: Buffer): Encrypted => ({
    ciphertext: seal({
      versionKey: material,
      keyUuid: uuidOfKey(key.id),
      keyVersion: number,
      context: item.context,
      plaintext: item.plaintext,
      messageIds: parts.messageIds,
    }),
    keyVersion: number,
  });
  parts.store.noteUse(key.id, parts.sources.clock.now());
  const material = versionKey(parts, { key, version, trace: usable.trace, deadline: caller.deadline });
  return material instanceof Promise ? material.then(sealWith) : sealWith(material);
}

function plaintextTooLarge(length: number): KmsError {
  return new KmsError(
    "PLAINTEXT_TOO_LARGE",
    `plaintext: wanted at most ${MAX_PORTABLE_PLAINTEXT_BYTES} bytes, got ${length}`,
    {
      metadata: { maxPlaintextBytes: String(MAX_PORTABLE_PLAINTEXT_BYTES), plaintextBytes: String(length) },
    },
  );
}
