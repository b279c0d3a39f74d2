import type { KeyOperation } from "#core/purposes.ts";
import { versionOf } from "./key-reference.ts";
import { primaryVersion, requireOpen, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

/**
 * The version that protects now, through the gate; its use is noted.
 * @throws {KmsError} as the gate refuses; `VERSION_NOT_USABLE` where the caller names another than the primary one
 */
export function protectVersion(parts: BrokerParts, { key, named }: Usable, operation: KeyOperation): number {
  const number = named ?? primaryVersion(parts, key) ?? key.latestVersion;
  // a key whose version has no valid row is held, and says so
  requireOpen(parts, key, parts.catalog.version(key.id, number), operation);
  parts.store.noteUse(key.id, parts.sources.clock.now());
  return versionOf(parts.catalog, key, number).version;
}
