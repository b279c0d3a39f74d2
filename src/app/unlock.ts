import { join } from "node:path";
import { createId } from "#core/ids.ts";
import type { Sources } from "#core/clock.ts";
import type { JournalEntry } from "#core/journal.ts";
import { unwrap } from "#broker/load-branch-key.ts";
import type { OpenFleet } from "#broker/open-fleet.ts";
import { isHolder, writeWrap } from "#broker/write-wrap.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { ProviderPool } from "#resilience/provider-pool.ts";
import type { Unlocked } from "#store/open-store.ts";
import { readPin, writePin } from "#store/state-folder.ts";
import type { SystemRows } from "#store/system-rows.ts";
import { noRecipient } from "./sealed.ts";
import { createRoot, openRoot, type OpenSystemWrap, type RootKey, sealed, type WrapSystemBranch } from "./root.ts";

const UNLOCK_MS = 15_000;

export type UnlockParts = {
  readonly sources: Sources;
  readonly fleet: OpenFleet;
  readonly pool: ProviderPool;
  readonly stateFolder: string;
  /** Appends the root's lines; called once, at the first start, before the database has anything. */
  readonly journalFirst: (root: RootKey, entries: readonly JournalEntry[]) => Promise<void>;
  /** Whether the journal holds keys of users already: then an empty database is a lost one. */
  readonly journalHasKeys: () => Promise<boolean>;
  /** Takes away what a first start that did not come to its end has left in the journal. */
  readonly forgetUnfinished: () => Promise<void>;
};

/** Opens the root key of a database, or makes the one of a new database. The holder zeroes the roots. */
export async function unlock(
  parts: UnlockParts,
  rows: SystemRows | undefined,
): Promise<Unlocked & { readonly roots: readonly RootKey[] }> {
  if (rows === undefined) return await firstRoot(parts);
  const pins = await readPin(parts.stateFolder);
  if (pins === undefined)
    throw sealed(
      `${join(parts.stateFolder, "root.json")} is missing: it pins the root key, and without it no row is believed; restore it`,
    );
  const roots = await openRoot(rows, { pins, open: openThrough(parts) });
  return { ...unlocked(roots), roots };
}

function unlocked(roots: readonly RootKey[]): Unlocked {
  const current = Math.max(...roots.map(({ version }) => version));
  return { rowKeys: new Map(roots.map(({ version, rowKey }) => [version, rowKey])), current };
}

function openThrough(parts: UnlockParts): OpenSystemWrap {
  const deadline = new Deadline(UNLOCK_MS, parts.sources);
  return async (subject) => {
    const member = parts.fleet.memberByUid(subject.recipient.providerUid);
    if (member === undefined) throw new Error(`${subject.recipient.providerUid} is not reached`);
    const options = { deadline, requestId: createId("req", parts.sources), last: true };
    return await unwrap(parts, { ...subject, provider: member.name }, options);
  };
}

async function firstRoot(parts: UnlockParts): Promise<Unlocked & { readonly roots: readonly RootKey[] }> {
  if (await parts.journalHasKeys()) {
    throw sealed(
      "the database is empty, but the journal holds keys: put the database back; until then `npx claviger open` opens ciphertexts with the journal",
    );
  }
  await parts.forgetUnfinished();
  const holders = [...parts.fleet.members()].map(({ name, uid }) => ({ provider: name, uid: uid ?? null }));
  const first = await createRoot(parts.sources, { holders, wrap: wrapEverywhere(parts) });
  await writePin(parts.stateFolder, [first.pin]);
  await parts.journalFirst(first.root, first.journal);
  return { ...unlocked([first.root]), initial: first.mutations, roots: [first.root] };
}

function wrapEverywhere(parts: UnlockParts): WrapSystemBranch {
  return async ({ namespace, branch, branchKey }) => {
    const target = { namespace, branch: branch.id, branchVersion: 1, dedicatedTo: null, branchKey };
    const call = {
      requestId: createId("req", parts.sources),
      deadline: new Deadline(UNLOCK_MS, parts.sources),
      trace: { attempts: [] },
    };
    const wrapParts = { pool: parts.pool, sources: parts.sources, catalog: { recipient: () => undefined } };
    const holders = [...parts.fleet.members()].filter(isHolder);
    const outcomes = await Promise.allSettled(
      holders.map(async (holder) => await writeWrap(wrapParts, holder, target, call)),
    );
    const written = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    if (written.length > 0) return written;
    const reasons = [...parts.fleet.members()].map(
      ({ name, misconfigured }) =>
        `${name}: ${misconfigured?.reason ?? parts.pool.lastFailure(name)?.fault.detail ?? "not reached"}`,
    );
    throw noRecipient(`no provider can hold the root key (${reasons.join("; ")})`);
  };
}
