import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import { notFound, unsupported } from "./errors.ts";
import { type Label, readLabel, writeLabel } from "./label.ts";
import { newKey } from "./new-key.ts";
import { observationOf } from "./observation.ts";
import { specOf } from "./specs.ts";
import { ask, CANARY_MARKER, type Tools } from "./tools.ts";
import type { Entry, Usage } from "./wire.ts";

const MARKER = /^[a-z0-9-]{1,64}$/u;

/**
 * Makes keys, and turns their usage attributes on and off: tokens have no other states. A destruction is at once; the gateway keeps its window.
 */
export function pkcs11Keys(tools: Tools): KeyAdministration {
  const { facts, capabilities } = tools;
  const change = async (ref: string, state: Label["state"], call: CallContext): Promise<Observation> => {
    const { entry, label } = await ours(tools, ref, call);
    const { protects = [], processes = [] } = specOf(label.algorithm, facts.kwp) ?? {};
    const usage: Partial<Record<Usage, boolean>> = {};
    for (const name of protects) usage[name] = state === "enabled";
    for (const name of processes) usage[name] = state !== "disabled";
    const changed = await ask(tools, call, "set", { id: entry.id, label: writeLabel({ ...label, state }), usage });
    return observationOf(changed, facts);
  };
  return {
    create: async ({ algorithm, marker }, call) => {
      if (!MARKER.test(marker)) throw unsupported("a marker other than 1..64 of [a-z0-9-]");
      if (marker === CANARY_MARKER) throw unsupported("the marker of the canary key");
      const spec = specOf(algorithm, facts.kwp);
      if (spec === undefined || !capabilities.rows.some((row) => row.algorithm === algorithm))
        throw unsupported(`a key for ${algorithm}`);
      const made = await ask(tools, call, "create", newKey({ algorithm, marker, spec, now: tools.now() }));
      return observationOf(made, facts);
    },
    enable: async (ref, call) => await change(ref, "enabled", call),
    restrict: async (ref, call) => await change(ref, "process-only", call),
    disable: async (ref, call) => await change(ref, "disabled", call),
    scheduleDestruction: async (ref, days, call) => {
      if (days !== 0) throw unsupported(`a destruction in ${days} days: a token destroys at once`);
      const entry = await described(tools, ref, call);
      await ask(tools, call, "destroy", { id: ref });
      return { ...observationOf(entry, facts), observed: "destroyed", nativeState: "destroyed" };
    },
    cancelDestruction: async (ref, call) => {
      await described(tools, ref, call);
      throw new ProviderError({ failure: "STATE", detail: "no destruction is scheduled: a token destroys at once" });
    },
  };
}

/** @throws {ProviderError} NOT_FOUND */
export async function described(tools: Tools, ref: string, call: CallContext): Promise<Entry> {
  const entry = await ask(tools, call, "describe", { id: ref });
  if (entry === null || readLabel(entry.label)?.state === "new") throw notFound();
  return entry;
}

async function ours(
  tools: Tools,
  ref: string,
  call: CallContext,
): Promise<{ readonly entry: Entry; readonly label: Label }> {
  const entry = await described(tools, ref, call);
  const label = readLabel(entry.label);
  if (label === undefined) throw new ProviderError({ failure: "STATE", detail: "the label of the key is not ours" });
  return { entry, label };
}
