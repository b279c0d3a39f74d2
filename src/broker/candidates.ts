import type { Uuid } from "#core/ids.ts";
import type { RequireConfig } from "#core/route-config.ts";
import type { KeyRecord, WrapRecord } from "#core/records.ts";
import type { Candidate } from "#policy/plan.ts";
import { routeNamed } from "#policy/routes.ts";
import type { FleetMember } from "./fleet.ts";
import type { BrokerParts } from "./parts.ts";
import { isHolder } from "./write-wrap.ts";

/** Who can open a branch version: the members that hold a wrap of it, in the order of the placement. */
export type Opener = { readonly candidate: Candidate; readonly wrap: WrapRecord };

export function openersOf(parts: BrokerParts, branch: Uuid, version: number): readonly Opener[] {
  const { catalog, fleet } = parts;
  const place = catalog.branch(branch)?.recipients.map(({ provider, uid }) => uid ?? fleet.member(provider)?.uid) ?? [];
  const openers = catalog.wraps(branch, version).flatMap((wrap) => {
    const uid = catalog.recipient(wrap.recipient)?.providerUid;
    const member = uid === undefined ? undefined : fleet.memberByUid(uid);
    if (member === undefined) return [];
    return [{ rank: place.indexOf(uid), opener: { candidate: candidate(parts, member, wrap), wrap } }];
  });
  return openers.toSorted((a, b) => rank(a.rank) - rank(b.rank)).map(({ opener }) => opener);
}

function rank(index: number): number {
  return index < 0 ? Number.MAX_SAFE_INTEGER : index;
}

/** Who should hold a new key's branch, in the order of the placement. */
export function writersOf(parts: BrokerParts, holders: readonly string[]): readonly Candidate[] {
  return holders.flatMap((name) => {
    const member = parts.fleet.member(name);
    return member === undefined ? [] : [candidate(parts, member, undefined)];
  });
}

function candidate(parts: BrokerParts, member: FleetMember, wrap: WrapRecord | undefined): Candidate {
  return {
    ...memberCandidate(parts, member),
    binding: wrap?.id,
    quarantined: wrap !== undefined && wrap.quarantine !== null,
  };
}

/** A member without a binding, as the plan reads it. */
export function memberCandidate(parts: BrokerParts, member: FleetMember): Candidate {
  const drain = parts.catalog.drain(member.name);
  return {
    provider: member.name,
    binding: undefined,
    facts: member.facts,
    usable: isHolder(member),
    quarantined: false,
    drained: drain?.drained === true,
    share: drain === undefined ? 1 : drain.share / 1000,
    health: parts.pool.standing(member.name),
  };
}

/** What the route that placed a key requires now; nothing where the configuration no longer has it. */
export function requirementOf(parts: BrokerParts, key: KeyRecord): RequireConfig {
  return routeNamed(parts.policy(), key.route)?.require ?? {};
}
