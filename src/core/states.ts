/** Tier 1 states (CSA *Key Management in Cloud Services*, appendix C; SP 800-57 part 1). */
export const STATES = ["generated", "active", "suspended", "deactivated", "destroyed"] as const;
export type State = (typeof STATES)[number];

/** Tier 2: the reason of a state (lifecycle.md § 1). An active key has none. */
export const STATE_REASONS = {
  generated: ["created", "awaiting-material", "awaiting-approval"],
  active: [],
  suspended: ["distribution", "replacement", "rotation", "hold", "compromise-suspected"],
  deactivated: ["compromised", "revoked", "expired", "archived", "superseded", "destroy-pending"],
  destroyed: ["normal", "compromised"],
} as const satisfies Record<State, readonly string[]>;

export type SuspendReason = (typeof STATE_REASONS)["suspended"][number];
export type DeactivateReason = (typeof STATE_REASONS)["deactivated"][number];
export type StateReason = (typeof STATE_REASONS)[State][number];

/** What a suspended key may still do: open what exists, or nothing. */
export type Processing = "allow" | "deny";

export const DEFAULT_PROCESSING: Readonly<Record<SuspendReason, Processing>> = {
  distribution: "allow",
  replacement: "allow",
  rotation: "allow",
  hold: "deny",
  "compromise-suspected": "deny",
};

/** Classes in which a provider's key is seen (providers.md § 1.1). */
export const OBSERVED_CLASSES = [
  "preactive",
  "enabled",
  "process-only",
  "disabled",
  "material-missing",
  "pending-destroy",
  "destroyed",
  "missing",
  "unavailable",
  "unknown",
] as const;
export type ObservedClass = (typeof OBSERVED_CLASSES)[number];

/** What a binding should be. */
export type DesiredClass = "enabled" | "process-only" | "disabled" | "destroyed";
