import { effectiveLifecycle } from "./effective-lifecycle.ts";
import type { KeyRecord, Lifecycle, VersionRecord } from "./records.ts";
import type { DesiredClass } from "./states.ts";

const RESTRICTION = ["enabled", "process-only", "disabled", "destroyed"] as const satisfies readonly DesiredClass[];

/**
 * What the provider's own key of a version should be at `now`: as restricted as the key's state or the version's asks for, whichever is more
 * (lifecycle.md § 1: only a suspension that denies processing is pushed as disabled).
 */
export function desiredClass(key: KeyRecord, version: VersionRecord, now: number): DesiredClass {
  const ranks = [key, version].map((record) => RESTRICTION.indexOf(classOf(effectiveLifecycle(record, now))));
  return RESTRICTION[Math.max(...ranks)] ?? "disabled";
}

function classOf({ state, stateReason, processing }: Lifecycle): (typeof RESTRICTION)[number] {
  switch (state) {
    case "active":
      return "enabled";
    case "suspended":
      return processing === "allow" ? "process-only" : "disabled";
    case "deactivated":
      return stateReason === "destroy-pending" ? "destroyed" : "process-only";
    case "destroyed":
      return "destroyed";
    case "generated":
      return "disabled";
    default:
      return "disabled";
  }
}
