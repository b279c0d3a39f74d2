import type { AlgorithmName } from "#core/algorithms.ts";
import type { Custody } from "#core/custody.ts";
import { KmsError } from "#core/errors.ts";
import { type KeyRecord, versionRowId } from "#core/records.ts";
import type { BrokerParts } from "./parts.ts";

/** How much a version protects before the next one takes over; null: no limit; absent: as it was. */
export type RotationLimits = { readonly maxMessages?: number | null; readonly maxBytes?: number | null };

type Limited = { readonly algorithm: AlgorithmName; readonly custody: Pick<Custody, "kind"> };

/**
 * The limits of a key, if it may have any: only bare AES-GCM under random nonces wears out so soon (SP 800-38D § 8.3).
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION` for a limit of any other key
 */
export function limitsOf(
  { maxMessages = null, maxBytes = null }: RotationLimits,
  key: Limited,
): { readonly maxMessages: number | null; readonly maxBytes: number | null } {
  if (!isRawGcm(key)) {
    if (maxMessages !== null) throw noLimit("maxMessages");
    if (maxBytes !== null) throw noLimit("maxBytes");
  }
  return { maxMessages, maxBytes };
}

/** The limits that a key has now. */
export function limitsSet({ rotation: { maxMessages, maxBytes } }: KeyRecord): RotationLimits {
  return { maxMessages, maxBytes };
}

/** Counts one message of a version that has a limit. */
export function noteProtected({ store }: BrokerParts, key: KeyRecord, version: number, bytes: number): void {
  const { maxMessages, maxBytes } = key.rotation;
  if (maxMessages !== null || maxBytes !== null) store.noteProtected(versionRowId(key.id, version), bytes);
}

/** Whether the primary version has protected as much as it may. */
export function hasReachedLimit({ store }: BrokerParts, { id, primaryVersion, rotation }: KeyRecord): boolean {
  const { maxMessages, maxBytes } = rotation;
  if (primaryVersion === null || (maxMessages === null && maxBytes === null)) return false;
  const { messages, bytes } = store.protectedAmount(versionRowId(id, primaryVersion));
  return messages >= (maxMessages ?? Infinity) || bytes >= (maxBytes ?? Infinity);
}

function isRawGcm({ algorithm, custody }: Limited): boolean {
  return custody.kind === "native" && /^AES-\d+-GCM$/u.test(algorithm);
}

function noLimit(member: string): KmsError {
  const detail = "is for keys of raw AES-GCM that a provider holds";
  return new KmsError("UNSUPPORTED_COMBINATION", `rotation.${member}: ${detail}`, {
    errors: [{ pointer: `/rotation/${member}`, code: "conflict", detail }],
    help: "portable keys and AES-256-OPAQUE have no such bound within their life; rotation.everyDays rotates them",
  });
}
