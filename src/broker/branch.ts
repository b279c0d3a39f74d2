import type { Catalog, Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { createUuid, type KeyId } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { BranchRecipient, BranchRecord, BranchVersionRecord, NamespaceRecord } from "#core/records.ts";
import type { Custody } from "#core/custody.ts";
import { createKeyMaterial } from "#envelope/new-key.ts";
import { branchCommitment } from "#envelope/wrap-payload.ts";
import { type Deadline, deadlineExceeded } from "#resilience/deadline.ts";
import type { Fleet } from "./fleet.ts";
import type { BrokerParts } from "./parts.ts";
import { type Holder, isHolder, type WrapCall, wrapMutations, writeWrap, type WrittenWrap } from "./write-wrap.ts";

type Portable = Extract<Custody, { kind: "portable" }>;

/** Where a new branch stands: the namespace, the placement, and the key that has it alone, if one does. */
export type Placement = {
  readonly namespace: NamespaceRecord;
  readonly route: string;
  readonly custody: Portable;
  readonly dedicatedTo: KeyId | null;
};

/** A branch that holds enough wraps to be used, its first key, and the rows that are still to be written. */
export type NewBranch = {
  readonly branch: BranchRecord;
  /** 32 bytes that the caller zeroes. */
  readonly branchKey: Buffer;
  readonly mutations: readonly Mutation[];
  readonly journal: readonly JournalEntry[];
};

/** The branch of a placement that exists and may be shared; undefined if the next key needs a new one. */
export function findBranch(
  { catalog, fleet }: Pick<BrokerParts, "catalog" | "fleet">,
  { namespace, route, custody, dedicatedTo }: Placement,
): BranchRecord | undefined {
  if (dedicatedTo !== null) return undefined;
  for (const branch of catalog.branches()) {
    const same =
      branch.namespace === namespace.name &&
      branch.route === route &&
      branch.dedicatedTo === null &&
      branch.minimum === custody.minimum &&
      branch.threshold === custody.threshold &&
      branch.recipients.length === custody.holders.length &&
      branch.recipients.every((recipient, index) => isRecipient(fleet, recipient, custody.holders[index]));
    if (same) return branch;
  }
  return undefined;
}

/** Whether a recorded recipient is the provider of this name: by what it is, whatever it was called, once that is known. */
function isRecipient(fleet: Fleet, { provider, uid }: BranchRecipient, holder: string | undefined): boolean {
  const known = holder === undefined ? undefined : fleet.member(holder)?.uid;
  return uid === null || known === undefined ? provider === holder : uid === known;
}

/**
 * Makes a branch key and wraps it under every holder of the placement that answers; succeeds with `minimum` distinct failure domains,
 * and leaves who is missing to be filled in. Nothing is recorded yet.
 *
 * @throws {KmsError} `QUORUM_NOT_REACHED` with what stood against each missing holder; `DEADLINE_EXCEEDED` where that was the caller's haste
 */
export async function createBranch(parts: BrokerParts, placement: Placement, call: WrapCall): Promise<NewBranch> {
  const { namespace, route, custody, dedicatedTo } = placement;
  const branchKey = createKeyMaterial(parts.sources.random);
  const id = createUuid(parts.sources);
  const ids = { namespace: namespace.id, branch: id, branchVersion: 1 };
  const target = { namespace, branch: id, branchVersion: 1, dedicatedTo, branchKey };
  const outcomes = await Promise.all(
    custody.holders.map(
      async (name) => await tryHolder(parts, name, (holder) => writeWrap(parts, holder, target, call)),
    ),
  );
  const written = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  try {
    requireMinimum(parts, custody, outcomes, call.deadline);
  } catch (error) {
    branchKey.fill(0);
    throw error;
  }
  const now = parts.sources.clock.now();
  const branch: BranchRecord = {
    id,
    namespace: namespace.name,
    recipients: custody.holders.map((provider): BranchRecipient => ({ provider, uid: uidOf(parts.fleet, provider) })),
    minimum: custody.minimum,
    threshold: custody.threshold,
    route,
    dedicatedTo,
    primaryVersion: 1,
    createTime: now,
  };
  const commitment = branchCommitment({ key: branchKey, ids }).toString("base64");
  const branchVersion: BranchVersionRecord = {
    branch: id,
    version: 1,
    commitment,
    origin: ["gateway"],
    createTime: now,
  };
  return {
    branch,
    branchKey,
    mutations: [
      { table: "branches", id, record: branch, ifRevision: 0 },
      { table: "branch_versions", id: `${id}/1`, record: branchVersion, ifRevision: 0 },
      ...written.flatMap((wrap) => wrapMutations(parts.catalog, wrap)),
    ],
    journal: [
      { type: "branch", namespace, branch, branchVersion },
      ...written.map((wrap): JournalEntry => ({ type: "wrap", namespace, commitment, ...wrap })),
    ],
  };
}

/** What the name stands for; null while that is not known, and for a name that should not stand for what it does. */
function uidOf(fleet: Fleet, name: string): string | null {
  const member = fleet.member(name);
  return member?.misconfigured === undefined ? (member?.uid ?? null) : null;
}

type HolderOutcome =
  | { readonly ok: true; readonly name: string; readonly value: WrittenWrap }
  | { readonly ok: false; readonly name: string; readonly because: string };

async function tryHolder(
  parts: BrokerParts,
  name: string,
  write: (holder: Holder) => Promise<WrittenWrap>,
): Promise<HolderOutcome> {
  const member = parts.fleet.member(name);
  if (parts.catalog.drain(name)?.drained === true) return { ok: false, name, because: "drained" };
  if (!isHolder(member)) return { ok: false, name, because: member?.misconfigured?.reason ?? "not reached yet" };
  try {
    return { ok: true, name, value: await write(member) };
  } catch (error) {
    return { ok: false, name, because: member.provider.classify(error).failure.toLowerCase() };
  }
}

function requireMinimum(
  parts: BrokerParts,
  custody: Portable,
  outcomes: readonly HolderOutcome[],
  deadline: Deadline,
): void {
  const domains = new Set(
    outcomes.flatMap(({ ok, name }) => (ok ? [parts.fleet.member(name)?.facts.failureDomain ?? name] : [])),
  );
  if (domains.size >= custody.minimum) return;
  if (deadline.remainingMs() === 0) throw deadlineExceeded();
  const missing = outcomes.flatMap((outcome) => (outcome.ok ? [] : [`${outcome.name} (${outcome.because})`]));
  throw new KmsError(
    "QUORUM_NOT_REACHED",
    `wanted wraps in ${custody.minimum} failure domains, got ${domains.size}; missing: ${missing.join(", ")}`,
    {
      metadata: { minimum: String(custody.minimum), reached: String(domains.size), missing: missing.join(", ") },
      retryAfterSeconds: 5,
      help: "see `npx claviger providers` for what stands against them",
    },
  );
}

/** The namespace of a key or branch. @throws {KmsError} `NOT_FOUND` */
export function namespaceOf(catalog: Catalog, name: string): NamespaceRecord {
  const namespace = catalog.namespace(name);
  if (namespace === undefined) throw new KmsError("NOT_FOUND", "no such namespace", { metadata: { namespace: name } });
  return namespace;
}
