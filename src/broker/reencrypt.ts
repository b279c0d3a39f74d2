import { hasPublicKey } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import { encodeContext } from "#core/context-encoding.ts";
import { parseFrame } from "#envelope/header.ts";
import type { Caller } from "./caller.ts";
import { keyOfFrame, openFrame } from "./decrypt.ts";
import { protect } from "./encrypt.ts";
import type { CiphertextFormat } from "./format.ts";
import { resolveKey } from "./key-reference.ts";
import {
  type ItemOutcome,
  operate,
  operateBatch,
  primaryVersion,
  requireContext,
  requireUse,
  type Served,
  type Usable,
} from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

export type ReencryptItem = {
  readonly ciphertext: Buffer | undefined;
  readonly context: Context;
  /** The source key; undefined: the one that the frame's header names. */
  readonly sourceKey: string | undefined;
  /** The context of the new ciphertext. */
  readonly newContext: Context;
  /** Of the ciphertext that comes in; the new one is a frame wherever its key has frames. */
  readonly format?: CiphertextFormat;
};
export type Reencrypted = {
  readonly ciphertext: Buffer;
  readonly keyVersion: number;
  readonly provider?: string;
  readonly bare?: boolean;
  readonly sourceKeyId: string;
  readonly sourceKeyVersion: number;
  /** False if the ciphertext stands under the target's primary version and its context already; it is then answered as it came. */
  readonly changed: boolean;
};

/** Moves a ciphertext under the target's primary version; the plaintext never leaves the process. */
export async function reencrypt(
  parts: BrokerParts,
  caller: Caller,
  target: string,
  item: ReencryptItem,
): Promise<Reencrypted & Served> {
  return await operate(parts, caller, { key: target, operation: "reencrypt-to", context: item.newContext }, (usable) =>
    move(parts, caller, usable, item),
  );
}

export async function reencryptBatch(
  parts: BrokerParts,
  caller: Caller,
  target: string,
  items: readonly ReencryptItem[],
): Promise<readonly ItemOutcome<Reencrypted & Served>[]> {
  const use = { key: target, operation: "reencrypt-to" } as const;
  const checked = items.map((item) => ({ item, context: item.newContext }));
  return await operateBatch(parts, caller, use, checked, (usable, { item }) => move(parts, caller, usable, item));
}

async function move(parts: BrokerParts, caller: Caller, target: Usable, item: ReencryptItem): Promise<Reencrypted> {
  if (item.format === "native" && item.sourceKey === undefined) throw sourceWanted();
  const source = await resolveKey(parts, caller, item.sourceKey ?? keyOfFrame(item.ciphertext));
  requireUse(caller, source.key, "reencrypt-from");
  requireContext(caller, item.context);
  const from: Usable = { key: source.key, named: source.version, trace: target.trace };
  const opened = await openFrame(parts, caller, from, "reencrypt-from", item);
  try {
    return await seal(parts, caller, { target, item, source: from, opened });
  } finally {
    opened.plaintext.fill(0);
  }
}

function sourceWanted(): KmsError {
  return new KmsError("INVALID_ARGUMENT", "sourceKey: wanted, since bytes of a provider name no key", {
    errors: [{ pointer: "/sourceKey", code: "required", detail: "bytes of a provider name no key" }],
  });
}

type Opened = {
  readonly target: Usable;
  readonly item: ReencryptItem;
  readonly source: Usable;
  readonly opened: { readonly plaintext: Buffer; readonly keyVersion: number };
};

async function seal(
  parts: BrokerParts,
  caller: Caller,
  { target, item, source, opened }: Opened,
): Promise<Reencrypted> {
  const told = { sourceKeyId: source.key.id, sourceKeyVersion: opened.keyVersion };
  if (
    item.format !== "native" &&
    item.ciphertext !== undefined &&
    standsThere(parts, target, { ...item, ciphertext: item.ciphertext })
  ) {
    return { ciphertext: item.ciphertext, keyVersion: opened.keyVersion, changed: false, ...told };
  }
  const fresh = await protect(parts, caller, target, "reencrypt-to", {
    plaintext: opened.plaintext,
    context: item.newContext,
    format: hasPublicKey(target.key.algorithm) ? "native" : "claviger",
  });
  return { ...fresh, changed: true, ...told };
}

function standsThere(
  parts: BrokerParts,
  target: Usable,
  item: { ciphertext: Buffer; context: Context; newContext: Context },
): boolean {
  const frame = parseFrame(item.ciphertext);
  if (frame.keyUuid !== uuidOfKey(target.key.id)) return false;
  return (
    frame.keyVersion === primaryVersion(parts, target.key) &&
    encodeContext(item.context).equals(encodeContext(item.newContext))
  );
}
