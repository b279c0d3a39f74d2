import type { Provider } from "#core/provider.ts";
import type { BranchRecipient } from "#core/records.ts";
import type { ProviderFacts } from "#policy/policy.ts";

/** Why a configured provider cannot be used, whatever its breaker says. */
export type Misconfiguration = { readonly reason: string };

/** One configured provider as this process knows it. */
export type FleetMember = {
  readonly name: string;
  readonly kind: string;
  readonly facts: ProviderFacts;
  /** Undefined while it could not be opened. */
  readonly provider: Provider | undefined;
  /** What it is, once it has answered, or as the catalog remembers its name. */
  readonly uid: string | undefined;
  readonly canary: string | undefined;
  readonly misconfigured: Misconfiguration | undefined;
};

/** What a recorded recipient is called now. */
export function currentName(fleet: Fleet, { provider, uid }: BranchRecipient): string {
  return (uid === null ? undefined : fleet.memberByUid(uid)?.name) ?? provider;
}

/** The configured providers, by name and by what they are. */
export interface Fleet {
  members(): Iterable<FleetMember>;
  member(name: string): FleetMember | undefined;
  /** The member that is this key service, whatever it is called now. */
  memberByUid(uid: string): FleetMember | undefined;
}
