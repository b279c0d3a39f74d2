import type { Observation } from "#core/provider.ts";
import type { ObservedClass } from "#core/states.ts";
import { type Label, readLabel } from "./label.ts";
import { specOf } from "./specs.ts";
import type { Entry, TokenFacts } from "./wire.ts";

/** A key as its attributes show it, and for keys of ours its label: whichever forbids more. */
export function observationOf(entry: Entry, facts: Pick<TokenFacts, "kwp">): Observation {
  const label = readLabel(entry.label);
  const shared = { ref: entry.id, destroyTime: null, requestId: null, nativeState: entry.on.join(" ") || "no usage" };
  if (label === undefined) {
    const observed = entry.on.length === 0 ? "disabled" : "enabled";
    return { ...shared, observed, algorithm: null, marker: null, createTime: null };
  }
  const { algorithm, marker, created } = label;
  return { ...shared, observed: classOf(entry, label, facts), algorithm, marker, createTime: created * 1000 };
}

const ORDER = ["enabled", "process-only", "disabled"] as const satisfies readonly ObservedClass[];

function classOf({ on }: Entry, { algorithm, state }: Label, { kwp }: Pick<TokenFacts, "kwp">): ObservedClass {
  const { protects = [], processes = [] } = specOf(algorithm, kwp) ?? {};
  const all = (names: readonly string[]): boolean => names.every((name) => (on as readonly string[]).includes(name));
  const shown = !all(processes) ? "disabled" : all(protects) ? "enabled" : "process-only";
  const told = state === "new" ? "disabled" : state;
  return ORDER[Math.max(ORDER.indexOf(shown), ORDER.indexOf(told))] ?? "disabled";
}
