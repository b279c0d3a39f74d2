import { hasPublicKey } from "#core/algorithms.ts";
import type { HistoryRecord, KeyRecord } from "#core/records.ts";
import { type Exposure, exposureOf } from "#policy/exposure/exposure.ts";
import type { ExposedHolder, ExposureFacts } from "#policy/exposure/facts.ts";
import type { Caller } from "./caller.ts";
import { droppedRecipients } from "./change-recipients.ts";
import { firstExport } from "./export-key.ts";
import { resolveKey } from "./key-reference.ts";
import { viewKey } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

export { ENTITY_KINDS, RELATIONS, STANDINGS } from "#policy/exposure/facts.ts";

export type KeyExposure = Exposure & { readonly key: KeyRecord; readonly computedTime: number };

/** Who can do what with a key, computed from its custody, its history and the deployment. */
export async function keyExposure(parts: BrokerParts, caller: Caller, reference: string): Promise<KeyExposure> {
  const { key } = await resolveKey(parts, caller, reference);
  requirePermission(caller, "exposure.read");
  return exposureAt(parts, viewKey(parts, key).key, await parts.store.history(key.id));
}

/** The exposure of a key that is, or, without a history, of one that would be made. */
export function exposureAt(parts: BrokerParts, key: KeyRecord, history: readonly HistoryRecord[] = []): KeyExposure {
  const computedTime = parts.sources.clock.now();
  return { ...exposureOf(factsOf(parts, key, history)), key, computedTime };
}

function factsOf(parts: BrokerParts, key: KeyRecord, history: readonly HistoryRecord[]): ExposureFacts {
  const { custody } = key;
  const current = custody.kind === "native" ? [custody.provider] : custody.holders;
  const past = droppedRecipients(history).filter(({ provider }) => !current.includes(provider));
  return {
    custody: custody.kind === "native" ? "native" : "portable",
    threshold: custody.kind === "portable" ? custody.threshold : 1,
    dedicated: custody.kind === "portable" && custody.dedicated,
    origin: key.origin,
    destroyed: key.state === "destroyed",
    createTime: key.createTime,
    exportTime: firstExport(history),
    holders: [
      ...current.map((provider) => holderOf(parts, key, { provider, until: null })),
      ...past.map((dropped) => holderOf(parts, key, dropped)),
    ],
  };
}

/** Of a provider that is no longer configured the worst is assumed. */
function holderOf(
  { fleet }: BrokerParts,
  key: KeyRecord,
  { provider, until }: { readonly provider: string; readonly until: number | null },
): ExposedHolder {
  const member = fleet.member(provider);
  const recipient = member?.provider?.capabilities.recipientAlgorithm;
  return {
    provider,
    kind: member?.kind ?? "no longer configured",
    failureDomain: member?.facts.failureDomain ?? provider,
    protection: member?.facts.protection ?? "software",
    jurisdiction: member?.facts.jurisdiction ?? null,
    entity: member?.facts.entity ?? [],
    wrapsWithRsa: key.custody.kind === "portable" && recipient !== undefined && hasPublicKey(recipient),
    since: key.createTime,
    until,
  };
}
