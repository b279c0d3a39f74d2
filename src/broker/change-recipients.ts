import type { Catalog, Mutation } from "#core/catalog.ts";
import type { Custody } from "#core/custody.ts";
import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import { type HistoryRecord, type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { sealVersionKey } from "#envelope/version-seal.ts";
import { placePortable } from "#policy/place-portable.ts";
import { routeNamed } from "#policy/routes.ts";
import { namespaceOf, type NewBranch, type Placement } from "./branch.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey } from "./change-key.ts";
import { hasSeal } from "./erase-seals.ts";
import type { KeyView } from "./key-view.ts";
import { obtainBranch } from "./obtain-branch.ts";
import type { BrokerParts } from "./parts.ts";
import { takeTurn } from "./placing.ts";
import type { Trace } from "./trace.ts";
import { versionKey } from "./version-key.ts";

export type RecipientsChange = {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Undefined: as it is, or as many as the new holders can give. */
  readonly minimum: number | undefined;
};

type Portable = Extract<Custody, { kind: "portable" }>;

/** What the change will write, and the custody that it was made for. */
type Moved = {
  readonly custody: Portable;
  readonly branch: KeyRecord["branch"];
  readonly fresh: NewBranch | undefined;
  readonly before: readonly VersionRecord[];
  readonly versions: readonly VersionRecord[];
};

/**
 * Gives a portable key other recipients: its seals are made anew under the branch of the new placement, which calls clouds only where there is
 * none yet. Whoever is dropped can still open what he held until then: the key's versions from before, in a copy of the journal.
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION` for a key that is not portable; `INVALID_ARGUMENT` for a provider that is not configured, is
 *   there already, or is not; `REQUIREMENT_UNMET`; `ILLEGAL_TRANSITION` while the key is compromised or being destroyed; `QUORUM_NOT_REACHED`;
 *   `PLAN_STALE` where another change came first
 */
export async function changeRecipients(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  change: RecipientsChange,
): Promise<Changed<KeyView>> {
  let moved: Moved | undefined;
  try {
    return await changeKey(parts, caller, reference, {
      action: "recipients",
      permission: "keys.change",
      explanation: { reason: written(change), detail: told(change) },
      prepare: async (key, trace) => {
        const custody = nextCustody(parts, key, change);
        if (!caller.dryRun) moved = await reseal(parts, caller, { key, custody, trace });
      },
      decide: (key, catalog) => {
        const custody = nextCustody(parts, key, change);
        if (moved === undefined) return { next: { ...key, custody } };
        requireUnchanged(catalog, key, moved);
        return {
          next: { ...key, custody: moved.custody, branch: moved.branch },
          mutations: rowsOf(catalog, key, moved),
        };
      },
    });
  } finally {
    moved?.fresh?.branchKey.fill(0);
  }
}

/** @throws {KmsError} as {@link changeRecipients} */
function nextCustody(parts: BrokerParts, key: KeyRecord, { add, drop, minimum }: RecipientsChange): Portable {
  const { custody } = key;
  if (custody.kind !== "portable") {
    throw new KmsError("UNSUPPORTED_COMBINATION", "only portable keys have recipients", {
      metadata: { custody: custody.kind },
    });
  }
  requireMovable(parts, key);
  for (const [index, name] of add.entries()) {
    if (custody.holders.includes(name)) throw wrongName(`/add/${index}`, `${name} is a recipient already`);
    if (parts.fleet.member(name) === undefined) throw wrongName(`/add/${index}`, `${name} is not configured`);
  }
  for (const [index, name] of drop.entries())
    if (!custody.holders.includes(name)) throw wrongName(`/drop/${index}`, `${name} is no recipient of the key`);
  const holders = [...custody.holders.filter((name) => !drop.includes(name)), ...add];
  if (holders.length === 0) throw wrongName("/drop", "the last recipient cannot go");
  const route = routeNamed(parts.policy(), key.route);
  if (route === undefined) {
    throw new KmsError("REQUIREMENT_UNMET", `the route ${key.route} that placed the key is no longer configured`, {
      metadata: { route: key.route },
    });
  }
  const wanted = minimum ?? Math.min(custody.minimum, domainsOf(parts, holders));
  const wish = {
    namespace: key.namespace,
    labels: key.labels,
    purpose: key.purpose,
    algorithm: key.algorithm,
    custody: { kind: "portable" as const, holders, minimum: wanted, dedicated: custody.dedicated },
  };
  return placePortable(parts.policy(), { route, algorithm: key.algorithm, wish });
}

function domainsOf({ fleet }: BrokerParts, holders: readonly string[]): number {
  return new Set(holders.map((name) => fleet.member(name)?.facts.failureDomain ?? name)).size;
}

/** lifecycle.md § 2: no other recipient gets what is compromised or on its way out. */
function requireMovable(parts: BrokerParts, key: KeyRecord): void {
  const { state, stateReason } = effectiveLifecycle(key, parts.sources.clock.now());
  if (state !== "destroyed" && stateReason !== "compromised" && stateReason !== "destroy-pending") return;
  const reason = stateReason === null ? "" : ` (${stateReason})`;
  throw new KmsError("ILLEGAL_TRANSITION", `recipients: not possible while the key is ${state}${reason}`, {
    metadata: { verb: "recipients", state },
  });
}

function wrongName(pointer: string, detail: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `${pointer.slice(1)}: ${detail}`, {
    errors: [{ pointer, code: "conflict", detail }],
  });
}

type Reseal = { readonly key: KeyRecord; readonly custody: Portable; readonly trace: Trace };

/** Seals every version under the branch of the new placement, and journals it all before anything names it. */
async function reseal(parts: BrokerParts, caller: Caller, { key, custody, trace }: Reseal): Promise<Moved> {
  const namespace = namespaceOf(parts.catalog, key.namespace);
  const dedicatedTo = custody.dedicated ? key.id : null;
  const placement: Placement = { namespace, route: key.route, custody, dedicatedTo };
  using _ = await takeTurn(parts, caller, placement);
  const { branch, branchKey, fresh } = await obtainBranch(parts, caller, { placement, record: trace });
  // the cache may drop its key while others are opened
  const own = Buffer.from(Uint8Array.from(branchKey).buffer);
  try {
    const before = parts.catalog.versions(key.id).filter(hasSeal);
    const versions: VersionRecord[] = [];
    for (const version of before) {
      const opened = versionKey(parts, { key, version, trace, deadline: caller.deadline });
      const material = opened instanceof Promise ? await opened : opened;
      const place = { branch: branch.id, branchVersion: branch.primaryVersion };
      const ids = { namespace: namespace.id, key: uuidOfKey(key.id), version: version.version };
      const seal = sealVersionKey({ branchKey: own, ...ids, ...place, versionKey: material });
      versions.push({ ...version, ...place, seal: seal.toString("base64") });
    }
    const entries = versions.map((version): JournalEntry => ({ type: "version", namespace, key, version }));
    await parts.journal.append([...(fresh?.journal ?? []), ...entries]);
    return { custody, branch: branch.id, fresh, before, versions };
  } finally {
    own.fill(0);
  }
}

/** @throws {KmsError} `PLAN_STALE` */
function requireUnchanged(catalog: Catalog, key: KeyRecord, { before }: Moved): void {
  const now = catalog.versions(key.id).filter(hasSeal);
  const same = now.length === before.length && now.every(({ seal }, index) => seal === before[index]?.seal);
  if (same) return;
  throw new KmsError("PLAN_STALE", "the key was changed meanwhile", {
    help: "look at the key, and ask again if that is still wanted",
  });
}

function rowsOf(catalog: Catalog, key: KeyRecord, { fresh, versions, branch }: Moved): readonly Mutation[] {
  const rows = versions.map((record): Mutation => {
    const id = versionRowId(key.id, record.version);
    // its state may have changed since; its seal has not
    const current = catalog.version(key.id, record.version) ?? record;
    const { branch: under, branchVersion, seal } = record;
    const next: VersionRecord = { ...current, branch: under, branchVersion, seal };
    return { table: "versions", id, record: next, ifRevision: catalog.revisionOf("versions", id) };
  });
  const made = (fresh?.mutations ?? []).filter(
    (row) => row.table !== "recipients" || catalog.recipient(row.id as never) === undefined,
  );
  return [...made, ...rows, ...leftBranch(catalog, key, branch)];
}

/** A branch that was the key's alone is nobody's now: nothing more is wrapped for it. */
function leftBranch(catalog: Catalog, key: KeyRecord, next: KeyRecord["branch"]): readonly Mutation[] {
  const left = key.branch === null || key.branch === next ? undefined : catalog.branch(key.branch);
  if (left === undefined || left.dedicatedTo !== key.id) return [];
  const record = { ...left, recipients: [] };
  return [{ table: "branches", id: left.id, record, ifRevision: catalog.revisionOf("branches", left.id) }];
}

function told({ add, drop }: RecipientsChange): string {
  const added = add.length === 0 ? [] : [`added ${add.join(", ")}`];
  const dropped =
    drop.length === 0
      ? []
      : [
          `dropped ${drop.join(", ")}, which can still open what was wrapped before: ` +
            "rotate the key and re-encrypt, to leave nothing that they could open",
        ];
  return [...added, ...dropped].join("; ");
}

/** For the history, in a form that {@link droppedRecipients} reads. */
function written({ add, drop }: RecipientsChange): string {
  return [...add.map((name) => `add ${name}`), ...drop.map((name) => `drop ${name}`)].join("; ");
}

/** Who was a recipient of a key and is none any more since when, as its history tells. */
export function droppedRecipients(
  history: readonly HistoryRecord[],
): readonly { readonly provider: string; readonly until: number }[] {
  const until = new Map<string, number>();
  for (const { action, reason, time } of history) {
    if (action !== "recipients") continue;
    for (const part of (reason ?? "").split("; ")) {
      const [verb, provider = ""] = part.split(" ");
      if (verb === "drop") until.set(provider, time);
      else if (verb === "add") until.delete(provider);
    }
  }
  return [...until].map(([provider, time]) => ({ provider, until: time }));
}
