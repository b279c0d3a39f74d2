import type { Context } from "#core/context.ts";
import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import { keyIdOf, uuidOfKey } from "#core/ids.ts";
import type { KeyOperation } from "#core/purposes.ts";
import { parseFrame } from "#envelope/header.ts";
import { open } from "#envelope/portable.ts";
import type { Caller } from "./caller.ts";
import type { Decrypted, DecryptItem, Encrypted, EncryptItem } from "./ciphering.ts";
import { protect } from "./encrypt.ts";
import { type CiphertextFormat, requireFrames } from "./format.ts";
import {
  type ItemOutcome,
  operate,
  operateBatch,
  primaryVersion,
  requireOpen,
  requireUse,
  type Served,
  type Usable,
} from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { decryptNative } from "./native-cipher.ts";
import { versionKey } from "./version-key.ts";

/** Opens a frame under the named key. @throws {KmsError} `CIPHERTEXT_INVALID` for everything that is wrong with the bytes. */
export async function decrypt(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  item: DecryptItem,
): Promise<Decrypted & Served> {
  return await operate(parts, caller, { key, operation: "decrypt", context: item.context }, (usable) =>
    openItem(parts, caller, usable, item),
  );
}

export async function decryptBatch(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  items: readonly DecryptItem[],
): Promise<readonly ItemOutcome<Decrypted & Served>[]> {
  return await operateBatch(parts, caller, { key, operation: "decrypt" }, items, (usable, item) =>
    openItem(parts, caller, usable, item),
  );
}

/** Opens a frame under the key that its header names: `POST /v1/decrypt`. */
export async function decryptByHeader(
  parts: BrokerParts,
  caller: Caller,
  item: DecryptItem,
): Promise<Decrypted & Served> {
  if (item.format === "native") throw keyWanted();
  return await decrypt(parts, caller, keyOfFrame(item.ciphertext), item);
}

function keyWanted(): KmsError {
  return new KmsError("INVALID_ARGUMENT", "format: bytes of a provider name no key, decrypt them at their key", {
    errors: [{ pointer: "/format", code: "conflict", detail: "wanted claviger: bytes of a provider name no key" }],
  });
}

/** The id of the key that a frame names; the header is public. */
export function keyOfFrame(ciphertext: Buffer | undefined): string {
  if (ciphertext === undefined) throw ciphertextInvalid();
  return keyIdOf(parseFrame(ciphertext).keyUuid);
}

async function openItem(parts: BrokerParts, caller: Caller, usable: Usable, item: DecryptItem): Promise<Decrypted> {
  const plain = openFrame(parts, caller, usable, "decrypt", item);
  const opened = plain instanceof Promise ? await plain : plain;
  if (!item.upgrade) return opened;
  return {
    ...opened,
    upgraded: await upgrade(parts, caller, usable, {
      plaintext: opened.plaintext,
      context: item.context,
      ...(item.format === undefined ? {} : { format: item.format }),
    }),
  };
}

async function upgrade(parts: BrokerParts, caller: Caller, usable: Usable, item: EncryptItem): Promise<Encrypted> {
  requireUse(caller, usable.key, "encrypt");
  return await protect(parts, caller, { ...usable, named: undefined }, "encrypt", item);
}

/** Opens a ciphertext with a usable key; the gate of `operation` comes first. Synchronous while a portable key is warm. */
export function openFrame(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  operation: KeyOperation,
  item: { readonly ciphertext: Buffer | undefined; readonly context: Context; readonly format?: CiphertextFormat },
): Decrypted | Promise<Decrypted> {
  const { key } = usable;
  requireOpen(parts, key, undefined, operation);
  if (key.custody.kind !== "portable") {
    parts.store.noteUse(key.id, parts.sources.clock.now());
    return decryptNative(parts, caller, usable, operation, item);
  }
  requireFrames(item.format);
  const { ciphertext } = item;
  if (ciphertext === undefined) throw ciphertextInvalid();
  const frame = parseFrame(ciphertext);
  const named = usable.named ?? frame.keyVersion;
  const version = parts.catalog.version(key.id, frame.keyVersion);
  if (frame.keyUuid !== uuidOfKey(key.id) || named !== frame.keyVersion || version === undefined)
    throw ciphertextInvalid();
  requireOpen(parts, key, version, operation);
  const openWith = (material: Buffer): Decrypted => ({
    plaintext: open({ versionKey: material, bytes: ciphertext, context: item.context }),
    keyVersion: frame.keyVersion,
    stale: frame.keyVersion !== primaryVersion(parts, key),
  });
  parts.store.noteUse(key.id, parts.sources.clock.now());
  const material = versionKey(parts, { key, version, trace: usable.trace, deadline: caller.deadline });
  return material instanceof Promise ? material.then(openWith) : openWith(material);
}
