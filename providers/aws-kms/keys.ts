import type { Scheduler } from "#core/clock.ts";
import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { ObservedClass } from "#core/states.ts";
import { AWS_KMS_CAPABILITIES } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { createKey, type Planes } from "./create-key.ts";
import { describeKey } from "./describe.ts";
import { faultOf, refused } from "./errors.ts";
import { CANARY_MARKER } from "./names.ts";
import { type Answered, requestIdOf } from "./present.ts";
import { afterChange, readBack } from "./read-back.ts";
import { forbiddenByState, liftRestriction, restrictKey } from "./restriction.ts";

export type KeyTools = Planes & { readonly scheduler: Scheduler; readonly multiRegion: boolean };

/** Changes keys with the control plane's client and reads them back with the data plane's. */
export function createKeyAdministration(tools: KeyTools): Required<KeyAdministration> {
  const { data, control } = tools;
  return {
    async create(spec, call) {
      if (spec.marker === CANARY_MARKER) throw refused("the marker is the canary's");
      return await createKey(tools, spec, call);
    },
    async enable(ref, call) {
      const run = async () => await control.enableKey({ KeyId: ref }, call);
      const there = await changeKey(data, { ref, run, done: ["enabled", "process-only"] }, call);
      const tagged = there.observed === "process-only";
      const lifted = await afterChange(async () => await liftRestriction(control, { ref, tagged }, call));
      return lifted ? { ...(await readBack(data, ref, call)), requestId: there.requestId } : there;
    },
    async restrict(ref, call) {
      const before = await describeKey(data, ref, call);
      if (!RESTRICTABLE.includes(before.observed)) throw forbiddenByState();
      await restrictKey(control, ref, call);
      // Last, so that a key that was disabled protects at no time.
      const run = async () => await control.enableKey({ KeyId: ref }, call);
      return await changeKey(data, { ref, run, done: ["process-only"] }, call);
    },
    async disable(ref, call) {
      const run = async () => await control.disableKey({ KeyId: ref }, call);
      return await changeKey(data, { ref, run, done: ["disabled"] }, call);
    },
    async scheduleDestruction(ref, days, call) {
      requireDays(days);
      const run = async () => await control.scheduleKeyDeletion({ KeyId: ref, PendingWindowInDays: days }, call);
      return await changeKey(data, { ref, run, done: ["pending-destroy"] }, call);
    },
    async cancelDestruction(ref, call) {
      const run = async () => await control.cancelKeyDeletion({ KeyId: ref }, call);
      return await changeKey(data, { ref, run, done: KEPT }, call);
    },
  };
}

const RESTRICTABLE: readonly ObservedClass[] = ["enabled", "process-only", "disabled"];
/** Where a key is whose deletion nobody waits for any more. */
const KEPT: readonly ObservedClass[] = [...RESTRICTABLE, "material-missing"];

type Change = {
  readonly ref: NativeRef;
  readonly run: () => Promise<Answered>;
  /** Classes in which the key is where the change leads: a refusal then means that it was made before. */
  readonly done: readonly ObservedClass[];
};

async function changeKey(data: KmsClient, { ref, run, done }: Change, call: CallContext): Promise<Observation> {
  const outcome = await outcomeOf(run);
  const there = await readBack(data, ref, call);
  if (!("refusal" in outcome)) return { ...there, requestId: requestIdOf(outcome) };
  if (done.includes(there.observed)) return there;
  throw outcome.refusal;
}

/** The answer, or the refusal for the key's state; other failures are thrown. */
async function outcomeOf(run: () => Promise<Answered>): Promise<Answered | { readonly refusal: unknown }> {
  try {
    return await run();
  } catch (error) {
    if (faultOf(error).failure === "STATE") return { refusal: error };
    throw error;
  }
}

function requireDays(days: number): void {
  const window = AWS_KMS_CAPABILITIES.destructionDays ?? { min: 0, max: 0 };
  if (Number.isInteger(days) && days >= window.min && days <= window.max) return;
  throw refused(`unsupported: destruction in days, wanted ${window.min} to ${window.max}`);
}
