import { KmsError } from "#core/errors.ts";
import type { InventoryEntry, InventoryId } from "#core/inventory.ts";
import type { KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/** What a key of a provider is to this gateway: `none` for keys of others, and for ours that nothing needs. */
export type InventoryUse = "key" | "recipient" | "canary" | "none";

export type InventoryView = InventoryEntry & {
  /** As it is configured now. */
  readonly provider: string;
  readonly use: InventoryUse;
  readonly key: KeyRecord | null;
  readonly keyVersion: number | null;
};

export type InventoryFilter = { readonly provider?: string; readonly ours?: boolean };

/** The keys that the providers listed, ours and others', in the order in which they were first seen. */
export async function listInventory(
  parts: BrokerParts,
  caller: Caller,
  filter: InventoryFilter,
  page: { readonly limit: number; readonly after?: InventoryId },
): Promise<readonly InventoryView[]> {
  requirePermission(caller, "providers.read");
  const { provider, ours } = filter;
  const providerUid = provider === undefined ? undefined : parts.fleet.member(provider)?.uid;
  if (provider !== undefined && providerUid === undefined) return [];
  const entries = await parts.store.inventory({
    ...page,
    ...(providerUid === undefined ? {} : { providerUid }),
    ...(ours === undefined ? {} : { marked: ours }),
  });
  const recipients = recipientRefs(parts);
  return entries.map((entry) => viewOf(parts, entry, recipients));
}

/** @throws {KmsError} `NOT_FOUND` */
export async function getInventory(parts: BrokerParts, caller: Caller, id: string): Promise<InventoryView> {
  requirePermission(caller, "providers.read");
  const entry = await parts.store.findInventory(id as InventoryId);
  if (entry === undefined) throw new KmsError("NOT_FOUND", "no provider lists such a key", { metadata: { id } });
  return viewOf(parts, entry, recipientRefs(parts));
}

function viewOf(parts: BrokerParts, entry: InventoryEntry, recipients: ReadonlySet<string>): InventoryView {
  const { catalog, fleet } = parts;
  const { providerUid, nativeRef } = entry;
  const binding = catalog.bindingOf(providerUid, nativeRef);
  const member = fleet.memberByUid(providerUid);
  const provider = member?.name ?? catalog.provider(providerUid)?.name ?? providerUid;
  const canary = member?.canary ?? catalog.provider(providerUid)?.canary;
  const key = binding === undefined ? null : (catalog.key(binding.key) ?? null);
  const use = useOf({
    isKey: binding !== undefined,
    isRecipient: recipients.has(refOf(providerUid, nativeRef)),
    isCanary: canary === nativeRef,
  });
  return { ...entry, provider, use, key, keyVersion: binding?.version ?? null };
}

function useOf(it: {
  readonly isKey: boolean;
  readonly isRecipient: boolean;
  readonly isCanary: boolean;
}): InventoryUse {
  if (it.isKey) return "key";
  if (it.isRecipient) return "recipient";
  return it.isCanary ? "canary" : "none";
}

function recipientRefs({ catalog }: BrokerParts): ReadonlySet<string> {
  return new Set([...catalog.recipients()].map(({ providerUid, nativeRef }) => refOf(providerUid, nativeRef)));
}

function refOf(providerUid: string, nativeRef: string): string {
  return JSON.stringify([providerUid, nativeRef]);
}
