import { keyVisible, may } from "#core/access.ts";
import { desiredClass } from "#core/desired-class.ts";
import type {
  HistoryRecord,
  KeyRecord,
  NativeBindingRecord,
  Quarantine,
  RecipientRecord,
  VersionRecord,
  WrapRecord,
} from "#core/records.ts";
import type { DesiredClass } from "#core/states.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import type { Caller } from "./caller.ts";
import { currentName } from "./fleet.ts";
import { keyNotFound, resolveKey } from "./key-reference.ts";
import { type KeyView, replicationOf, viewKey } from "./key-view.ts";
import { primaryVersion } from "./operate.ts";
import { type PublicKey, publicKeysOf } from "./public-key.ts";
import type { BrokerParts } from "./parts.ts";

/** Filters of a list of keys: equality, all must fit (api.md § 3). */
export type KeyFilter = {
  readonly state?: string;
  readonly purpose?: string;
  readonly custody?: string;
  /** A provider that should hold a wrap. */
  readonly provider?: string;
  /** A provider that alone could open it now. */
  readonly servedOnlyBy?: string;
  readonly labels?: ReadonlyMap<string, string>;
};

export type Page<T> = { readonly items: readonly T[]; readonly next: string | undefined };

export async function getKey(parts: BrokerParts, caller: Caller, reference: string): Promise<KeyView> {
  const { key } = await resolveKey(parts, caller, reference);
  return viewKey(parts, key);
}

/** Keys of the namespace in the order of creation. `after` is the id of the last key of the page before. */
export function listKeys(
  parts: BrokerParts,
  caller: Caller,
  { filter, limit, after }: { readonly filter: KeyFilter; readonly limit: number; readonly after?: string },
): Page<KeyView> {
  const items: KeyView[] = [];
  let started = after === undefined;
  for (const key of parts.catalog.keys(caller.namespace)) {
    if (!started) {
      started = key.id === after;
      continue;
    }
    if (!sees(caller, key) || !fits(parts, key, filter)) continue;
    if (items.length === limit) return { items, next: items.at(-1)?.key.id };
    items.push(viewKey(parts, key));
  }
  return { items, next: undefined };
}

/** A version with the wraps that it stands on. */
export type VersionView = {
  readonly version: VersionRecord;
  readonly role: "primary" | "secondary" | "pending";
  readonly bindings: readonly BindingView[];
  readonly publicKeys: readonly PublicKey[];
};

/** A wrap or native key that a version stands on. */
export type BindingView = {
  readonly id: string;
  readonly kind: "wrap" | "native";
  readonly provider: string;
  readonly nativeRef: string;
  readonly desired: DesiredClass;
  /** Where it was last seen. */
  readonly observed: DesiredClass | "unknown";
  readonly quarantine: Quarantine | null;
  readonly confirmed: "requested" | "verified";
};

export async function listVersions(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
): Promise<readonly VersionView[]> {
  const { key } = await resolveKey(parts, caller, reference);
  return parts.catalog.versions(key.id).map((version) => viewVersion(parts, key, version));
}

export async function getVersion(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  number: number,
): Promise<VersionView> {
  const { key } = await resolveKey(parts, caller, reference);
  const version = parts.catalog.version(key.id, number);
  if (version === undefined) throw keyNotFound();
  return viewVersion(parts, key, version);
}

/** Oldest first. */
export async function getHistory(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
): Promise<readonly HistoryRecord[]> {
  const { key } = await resolveKey(parts, caller, reference);
  return await parts.store.history(key.id);
}

function viewVersion(parts: BrokerParts, key: KeyRecord, version: VersionRecord): VersionView {
  const { catalog, fleet, sources } = parts;
  const { branch, branchVersion } = version;
  const wraps = branch === null || branchVersion === null ? [] : catalog.wraps(branch, branchVersion);
  const nameOf = (uid: string): string => fleet.memberByUid(uid)?.name ?? catalog.provider(uid)?.name ?? uid;
  const wrapped = wraps.flatMap((wrap): readonly BindingView[] => {
    const recipient = catalog.recipient(wrap.recipient);
    return recipient === undefined ? [] : [viewWrap(wrap, recipient, nameOf(recipient.providerUid))];
  });
  const desired = desiredClass(key, version, sources.clock.now());
  const native = catalog
    .bindings(key.id, version.version)
    .map((binding): BindingView => viewNative(binding, desired, nameOf(binding.providerUid)));
  const bindings = [...wrapped, ...native];
  const primary = primaryVersion(parts, key);
  const role =
    version.version === primary ? "primary" : version.version === key.pendingVersion ? "pending" : "secondary";
  return {
    version: { ...version, ...effectiveLifecycle(version, sources.clock.now()) },
    role,
    bindings,
    publicKeys: publicKeysOf(parts, key, version.version),
  };
}

/** A wrap is our own bytes: it is there and opens, or it is quarantined. */
function viewWrap(
  { id, desired, quarantine }: WrapRecord,
  { nativeRef }: RecipientRecord,
  provider: string,
): BindingView {
  const observed = quarantine === null ? "enabled" : "unknown";
  return { id, kind: "wrap", provider, nativeRef, desired, observed, quarantine, confirmed: "verified" };
}

function viewNative(binding: NativeBindingRecord, desired: DesiredClass, provider: string): BindingView {
  const { id, nativeRef, reached, quarantine } = binding;
  const confirmed = reached === desired ? "verified" : "requested";
  return { id, kind: "native", provider, nativeRef, desired, observed: reached, quarantine, confirmed };
}

function sees(caller: Caller, key: KeyRecord): boolean {
  if (may(caller.principal, "keys.read")) return true;
  return caller.principal.client.namespace === key.namespace && keyVisible(caller.principal, key);
}

function fits(parts: BrokerParts, key: KeyRecord, filter: KeyFilter): boolean {
  const { state, purpose, custody, provider, servedOnlyBy, labels } = filter;
  if (state !== undefined && effectiveLifecycle(key, parts.sources.clock.now()).state !== state) return false;
  if (purpose !== undefined && key.purpose !== purpose) return false;
  if (custody !== undefined && key.custody.kind !== custody) return false;
  if (provider !== undefined && !holdersOf(parts, key).includes(provider)) return false;
  if (servedOnlyBy !== undefined && !isServedOnlyBy(parts, key, servedOnlyBy)) return false;
  return labels === undefined || [...labels].every(([name, value]) => key.labels[name] === value);
}

function holdersOf(parts: BrokerParts, key: KeyRecord): readonly string[] {
  if (key.custody.kind !== "portable") {
    const bound = parts.catalog.bindings(key.id, primaryVersion(parts, key) ?? key.latestVersion);
    return bound.flatMap(({ providerUid }) => parts.fleet.memberByUid(providerUid)?.name ?? []);
  }
  const branch = key.branch === null ? undefined : parts.catalog.branch(key.branch);
  return branch?.recipients.map((recipient) => currentName(parts.fleet, recipient)) ?? [];
}

/** Whether every usable wrap of the primary version is with this one provider. */
export function isServedOnlyBy(parts: BrokerParts, key: KeyRecord, provider: string): boolean {
  const { missing } = replicationOf(parts, key, primaryVersion(parts, key) ?? key.latestVersion);
  const holding = holdersOf(parts, key).filter((holder) => !missing.includes(holder));
  return holding.length === 1 && holding[0] === provider;
}
