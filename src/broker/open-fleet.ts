import type { Catalog, Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import { createId } from "#core/ids.ts";
import type { Capabilities, Provider } from "#core/provider.ts";
import type { ProviderRecord } from "#core/records.ts";
import type { ProviderFacts } from "#policy/policy.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { ProviderPool } from "#resilience/provider-pool.ts";
import type { Fleet, FleetMember, Misconfiguration } from "./fleet.ts";

const IDENTIFY_MS = 10_000;

/** A configured provider: what is said of it, and how it is opened. */
export type FleetEntry = {
  readonly name: string;
  readonly kind: string;
  /** What is known of it: more once it is open. */
  readonly factsOf: (capabilities: Capabilities | undefined) => ProviderFacts;
  readonly open: () => Promise<Provider>;
};

type Member = { -readonly [K in keyof FleetMember]: FleetMember[K] } & { readonly entry: FleetEntry };

/** The fleet as it comes to be known: opened, identified, held against what the catalog remembers. */
export class OpenFleet implements Fleet, AsyncDisposable {
  readonly #members = new Map<string, Member>();
  readonly #pool: ProviderPool;
  readonly #sources: Sources;

  constructor(
    entries: readonly FleetEntry[],
    { pool, sources }: { readonly pool: ProviderPool; readonly sources: Sources },
  ) {
    this.#pool = pool;
    this.#sources = sources;
    for (const entry of entries) {
      const { name, kind } = entry;
      const facts = entry.factsOf(undefined);
      this.#members.set(name, {
        entry,
        name,
        kind,
        facts,
        provider: undefined,
        uid: undefined,
        canary: undefined,
        misconfigured: undefined,
      });
    }
  }

  members(): Iterable<FleetMember> {
    return this.#members.values();
  }

  member(name: string): FleetMember | undefined {
    return this.#members.get(name);
  }

  memberByUid(uid: string): FleetMember | undefined {
    const named = this.#namesOf(uid);
    return named.find(({ misconfigured }) => misconfigured === undefined) ?? named[0];
  }

  /** Opens and identifies whoever is not yet known; resolves when all have answered or failed. A failure stays for the next time. */
  async reach(): Promise<void> {
    await Promise.all(
      [...this.#members.values()]
        .filter(({ canary }) => canary === undefined)
        .map(async (member) => await this.#reach(member)),
    );
  }

  /** Takes from the catalog what names stood for before, for members that have not answered yet. */
  recall(catalog: Catalog): void {
    for (const record of catalog.providers()) {
      const member = this.#members.get(record.name);
      if (
        member !== undefined &&
        member.uid === undefined &&
        member.kind === record.kind &&
        this.memberByUid(record.uid) === undefined
      ) {
        member.uid = record.uid;
      }
    }
  }

  /**
   * Writes down who was identified, and refuses a name that now leads elsewhere while its wraps are alive.
   */
  async settle(store: Store): Promise<void> {
    for (const member of this.#members.values()) {
      const { uid, canary } = member;
      if (uid === undefined || canary === undefined) continue;
      member.misconfigured = this.#objection(store.catalog, member, uid);
      const known = store.catalog.provider(uid);
      if (member.misconfigured !== undefined || (known?.name === member.name && known.canary === canary)) continue;
      await store.change((catalog) => {
        const before = catalog.provider(uid);
        const { name, kind } = member;
        const record: ProviderRecord = {
          uid,
          name,
          kind,
          canary,
          firstUseTime: before?.firstUseTime ?? this.#sources.clock.now(),
        };
        return {
          mutations: [{ table: "providers", id: uid, record, ifRevision: catalog.revisionOf("providers", uid) }],
          result: undefined,
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(
      [...this.#members.values()].map(async ({ provider }) => await provider?.[Symbol.asyncDispose]()),
    );
  }

  async #reach(member: Member): Promise<void> {
    try {
      if (member.provider === undefined) {
        const opened = await member.entry.open();
        member.provider = opened;
        member.facts = member.entry.factsOf(opened.capabilities);
        this.#pool.put(member.name, opened);
      }
      const { provider } = member;
      const identity = await this.#pool.call(
        member.name,
        "control",
        "identify",
        async (call) => await provider.identify(call),
        {
          deadline: new Deadline(IDENTIFY_MS, this.#sources),
          requestId: createId("req", this.#sources),
        },
      );
      const recalled = member.uid;
      member.uid = identity.uid;
      member.canary = identity.canary;
      member.misconfigured = undefined;
      if (recalled !== undefined && recalled !== identity.uid) member.misconfigured = repointed();
    } catch (error) {
      if (member.provider === undefined)
        member.misconfigured = { reason: error instanceof Error ? error.message : "cannot be opened" };
    }
  }

  #namesOf(uid: string): readonly Member[] {
    return [...this.#members.values()].filter((member) => member.uid === uid);
  }

  /** Of several names for one key service the one that it was known by goes on, else the first; so that an addition harms nothing. */
  #ownerOf(catalog: Catalog, uid: string): Member | undefined {
    const named = this.#namesOf(uid);
    const known = catalog.provider(uid)?.name;
    return named.find(({ name }) => name === known) ?? named[0];
  }

  #objection(catalog: Catalog, member: Member, uid: string): Misconfiguration | undefined {
    const owner = this.#ownerOf(catalog, uid);
    if (owner !== undefined && owner !== member)
      return { reason: `${owner.name} and ${member.name} are the same key service` };
    for (const record of catalog.providers()) {
      const moved = record.name === member.name && record.uid !== uid && this.memberByUid(record.uid) === undefined;
      const bindings = moved ? liveBindings(catalog, record.uid) : 0;
      if (bindings > 0) return { reason: `${repointed().reason} (${bindings} bindings)` };
    }
    return undefined;
  }
}

function repointed(): Misconfiguration {
  return { reason: "the name leads to another key service than the one that its bindings were made with" };
}

/** How many wraps stand under recipients of a key service, and how many of its own keys are versions. */
function liveBindings(catalog: Catalog, uid: string): number {
  const recipients = new Set(
    [...catalog.recipients()].filter((recipient) => recipient.providerUid === uid).map(({ id }) => id),
  );
  let count = [...catalog.allBindings()].filter(({ providerUid }) => providerUid === uid).length;
  for (const branch of catalog.branches()) {
    for (const { version } of catalog.branchVersions(branch.id)) {
      count += catalog.wraps(branch.id, version).filter((wrap) => recipients.has(wrap.recipient)).length;
    }
  }
  return count;
}
