import type { Catalog } from "#core/catalog.ts";
import { desiredClass } from "#core/desired-class.ts";
import { createId } from "#core/ids.ts";
import type { CallContext, Observation, Provider } from "#core/provider.ts";
import { isUnfinished, type NativeBindingRecord } from "#core/records.ts";
import type { DesiredClass } from "#core/states.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { BrokerParts } from "./parts.ts";
import { type Holder, isHolder } from "./write-wrap.ts";

const SETTLE_MS = 10_000;
const DAY_MS = 86_400_000;

/** A provider's key that is not yet what the states of its key and version ask for. */
export type UnsettledBinding = { readonly binding: NativeBindingRecord; readonly wanted: DesiredClass };

/** Every native binding whose provider is to be brought elsewhere: what was left undone is found again after any restart. */
export function* unsettledBindings({ catalog, sources }: BrokerParts): Generator<UnsettledBinding> {
  const now = sources.clock.now();
  for (const binding of catalog.allBindings()) {
    const wanted = wantedOf(catalog, binding, now);
    if (wanted !== undefined) yield { binding, wanted };
  }
}

/** Where a binding's provider is still to be brought; undefined where it is there. */
export function wantedOf(catalog: Catalog, binding: NativeBindingRecord, now: number): DesiredClass | undefined {
  const key = catalog.key(binding.key);
  const version = catalog.version(binding.key, binding.version);
  // of what does not verify nothing is known: it stays as it is
  if (key === undefined || version === undefined || key.hold?.class === "unsealed" || isUnfinished(key))
    return undefined;
  const wanted = desiredClass(key, version, now);
  return wanted === binding.reached ? undefined : wanted;
}

/**
 * Brings one provider's key to where it should be, and writes down that it is there. False where it is not time yet, or the provider has not been
 * reached. The gateway has refused what is forbidden since the change itself; this makes the provider refuse it too.
 *
 * @throws {ProviderError} as the call fails; it is made again at the next turn
 */
export async function settleBinding(parts: BrokerParts, unsettled: UnsettledBinding): Promise<boolean> {
  const { id } = unsettled.binding;
  const running = parts.settling.get(id);
  if (running !== undefined) return await running; // two at once could leave the provider in the elder's state
  const settled = settle(parts, unsettled);
  parts.settling.set(id, settled);
  try {
    return await settled;
  } finally {
    parts.settling.delete(id);
  }
}

async function settle(parts: BrokerParts, { binding, wanted }: UnsettledBinding): Promise<boolean> {
  const holder = parts.fleet.memberByUid(binding.providerUid);
  if (!isHolder(holder)) return false;
  const step = stepOf(parts, holder, { binding, wanted });
  if (step === undefined) return false;
  if (step !== "nothing") {
    await parts.pool.call(holder.name, "control", step.name, async (call) => await step.run(holder.provider, call), {
      deadline: new Deadline(SETTLE_MS, parts.sources),
      requestId: createId("req", parts.sources),
      mutation: true,
    });
  }
  const reached = step === "nothing" ? wanted : (step.reaches ?? wanted);
  await recordReached(parts, binding, reached);
  return reached === wanted;
}

type Step = {
  readonly name: string;
  readonly run: (provider: Provider, call: CallContext) => Promise<Observation>;
  /** Where it leads, if not yet where the provider should be. */
  readonly reaches?: DesiredClass;
};

function stepOf(
  parts: BrokerParts,
  { provider }: Holder,
  { binding, wanted }: UnsettledBinding,
): Step | "nothing" | undefined {
  const { nativeRef: ref, reached } = binding;
  const { processOnly, destructionDays } = provider.capabilities;
  if (wanted === "destroyed") {
    const days = destructionWindow(parts, binding, destructionDays);
    // its window is shorter than the key's, or it has none: until its turn comes the key is of no use over there
    if (days === undefined && reached === "disabled") return undefined;
    if (days === undefined)
      return { name: "disable", reaches: "disabled", run: ({ keys }, call) => keys.disable(ref, call) };
    return { name: "schedule-destruction", run: ({ keys }, call) => keys.scheduleDestruction(ref, days, call) };
  }
  if (reached === "destroyed")
    return {
      name: "cancel-destruction",
      run: async ({ keys }, call) => {
        await keys.cancelDestruction(ref, call);
        return await leave(provider, { ref, wanted }, call);
      },
    };
  // where a key cannot be kept from protecting alone, the gateway keeps it from that
  if (wanted === "process-only" && !processOnly && reached === "enabled") return "nothing";
  return {
    name: wanted === "disabled" ? "disable" : "enable",
    run: async (opened, call) => await leave(opened, { ref, wanted }, call),
  };
}

async function leave(
  { keys, capabilities }: Provider,
  { ref, wanted }: { readonly ref: string; readonly wanted: DesiredClass },
  call: CallContext,
): Promise<Observation> {
  if (wanted === "disabled") return await keys.disable(ref, call);
  if (wanted === "process-only" && capabilities.processOnly && keys.restrict !== undefined)
    return await keys.restrict(ref, call);
  return await keys.enable(ref, call);
}

/**
 * The provider's own window, in days, so that it ends no earlier than the key's; undefined while the key's is longer than the provider's longest.
 */
function destructionWindow(
  { catalog, sources }: BrokerParts,
  { key, version }: NativeBindingRecord,
  bounds: { readonly min: number; readonly max: number } | null,
): number | undefined {
  const times = [catalog.key(key), catalog.version(key, version)].flatMap((record) => record?.destroyTime ?? []);
  const leftMs = Math.min(...times, Number.MAX_SAFE_INTEGER) - sources.clock.now();
  const days = Math.max(0, Math.ceil(leftMs / DAY_MS));
  if (bounds === null) return days === 0 ? 0 : undefined;
  return days > bounds.max ? undefined : Math.max(bounds.min, days);
}

async function recordReached(parts: BrokerParts, binding: NativeBindingRecord, reached: DesiredClass): Promise<void> {
  await parts.store.change((catalog) => {
    const current = catalog.bindings(binding.key, binding.version).find(({ id }) => id === binding.id);
    if (current === undefined) return { mutations: [], result: undefined };
    const record: NativeBindingRecord = { ...current, reached, changeTime: parts.sources.clock.now() };
    const ifRevision = catalog.revisionOf("bindings", binding.id);
    return { mutations: [{ table: "bindings", id: binding.id, record, ifRevision }], result: undefined };
  });
}
