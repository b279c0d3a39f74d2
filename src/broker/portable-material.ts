import { type Uuid, uuidOfKey } from "#core/ids.ts";
import type { Caller } from "./caller.ts";
import { versionOf } from "./key-reference.ts";
import type { Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { versionKey } from "./version-key.ts";

export type PortableMaterial = { readonly versionKey: Buffer; readonly keyUuid: Uuid; readonly keyVersion: number };

/**
 * The material of a portable version, which the cache owns, and what its derivations are bound to.
 * @throws {KmsError} as {@link versionKey}
 */
export async function materialOf(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  version: number,
): Promise<PortableMaterial> {
  const record = versionOf(parts.catalog, key, version);
  const material = await versionKey(parts, { key, version: record, trace, deadline: caller.deadline });
  return { versionKey: material, keyUuid: uuidOfKey(key.id), keyVersion: version };
}
