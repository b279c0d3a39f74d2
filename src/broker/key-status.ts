import type { KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import { resolveKey } from "./key-reference.ts";
import { viewKey } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";
import { listVersions, type VersionView } from "./read-keys.ts";

/** How long a statement may be relied upon: a restriction reaches every gateway within a second, and a relying party within this. */
const CURRENT_MS = 60_000;

/** What a relying party is told of a key, and the same as a signed statement. Times are epoch milliseconds. */
export type KeyStatus = {
  readonly key: KeyRecord;
  readonly versions: readonly VersionView[];
  readonly producedTime: number;
  readonly nextUpdateTime: number;
};

/** The state of a key as of now, as an OCSP responder says it of a certificate (RFC 6960: producedAt, nextUpdate). */
export async function keyStatus(parts: BrokerParts, caller: Caller, reference: string): Promise<KeyStatus> {
  const { key } = await resolveKey(parts, caller, reference);
  const now = parts.sources.clock.now();
  return {
    key: viewKey(parts, key).key,
    versions: await listVersions(parts, caller, key.id),
    producedTime: now,
    nextUpdateTime: now + CURRENT_MS,
  };
}
