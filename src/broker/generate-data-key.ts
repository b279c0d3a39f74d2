import type { Context } from "#core/context.ts";
import type { Caller } from "./caller.ts";
import type { Encrypted } from "./ciphering.ts";
import { protect } from "./encrypt.ts";
import { type ItemOutcome, operate, operateBatch, type Served, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

/** `bytes` is 1..1024. */
export type DataKeyItem = { readonly bytes: number; readonly context: Context; readonly withPlaintext: boolean };
export type DataKey = Encrypted & { readonly plaintext?: Buffer };

/** Makes a random data key and answers it with its ciphertext under the key. */
export async function generateDataKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  item: DataKeyItem,
): Promise<DataKey & Served> {
  return await operate(parts, caller, { key, operation: "generate-data-key", context: item.context }, (usable) =>
    make(parts, caller, usable, item),
  );
}

export async function generateDataKeyBatch(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  items: readonly DataKeyItem[],
): Promise<readonly ItemOutcome<DataKey & Served>[]> {
  return await operateBatch(parts, caller, { key, operation: "generate-data-key" }, items, (usable, item) =>
    make(parts, caller, usable, item),
  );
}

async function make(parts: BrokerParts, caller: Caller, usable: Usable, item: DataKeyItem): Promise<DataKey> {
  const plaintext = parts.sources.random.bytes(item.bytes);
  const encrypted = await protect(parts, caller, usable, "generate-data-key", { plaintext, context: item.context });
  if (item.withPlaintext) return { ...encrypted, plaintext };
  plaintext.fill(0);
  return encrypted;
}
