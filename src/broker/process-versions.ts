import { gate } from "#core/gate.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyOperation } from "#core/purposes.ts";
import { versionOf } from "./key-reference.ts";
import { primaryVersion, requireOpen, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

/**
 * The versions that may process what was made before: the one that the caller names, or all that the gate lets through, newest first.
 *
 * @throws {KmsError} as the gate refuses the key, or the version that was named, or (where no version is let through) the newest one
 */
export function processVersions(
  parts: BrokerParts,
  { key, named }: Usable,
  operation: KeyOperation,
): readonly number[] {
  if (named !== undefined) {
    requireOpen(parts, key, versionOf(parts.catalog, key, named), operation);
    return [named];
  }
  requireOpen(parts, key, undefined, operation);
  const now = parts.sources.clock.now();
  const newestFirst = parts.catalog.versions(key.id).toReversed();
  const allowed = newestFirst.filter((version) => gate({ key, version, operation, now }).allowed);
  if (allowed.length > 0) return allowed.map(({ version }) => version);
  requireOpen(parts, key, newestFirst[0], operation);
  throw new KmsError("INTEGRITY_FAILURE", "the key has no version", { metadata: { keyId: key.id } });
}

/**
 * The version of an operation whose input names none and cannot be tried: the one that the caller names, else the primary one.
 * @throws {KmsError} as the gate refuses
 */
export function currentVersion(parts: BrokerParts, { key, named }: Usable, operation: KeyOperation): number {
  const number = named ?? primaryVersion(parts, key) ?? key.latestVersion;
  requireOpen(parts, key, parts.catalog.version(key.id, number), operation);
  parts.store.noteUse(key.id, parts.sources.clock.now());
  return versionOf(parts.catalog, key, number).version;
}
