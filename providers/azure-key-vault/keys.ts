import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { requireOffered } from "./capabilities.ts";
import type { KeyChange, KeyVaultKey } from "./client.ts";
import { createKey } from "./create-key.ts";
import { describeKey, whileThere } from "./describe.ts";
import { scheduleDestruction } from "./destruction.ts";
import { observationOf } from "./observation.ts";
import { afterChange } from "./read-back.ts";
import { parseRef, requireMarker } from "./refs.ts";
import { restricted, unrestricted } from "./restriction.ts";
import type { KeyTools, Tools } from "./tools.ts";

/** Changes keys with the control plane's client; what it answers to a change is how the key is then. */
export function createKeyAdministration(tools: KeyTools): Required<KeyAdministration> {
  const { data, control, capabilities } = tools;
  return {
    async create(spec, call) {
      requireOffered(capabilities, spec.algorithm);
      requireMarker(spec.marker);
      return await createKey(tools, spec, call);
    },
    async enable(ref, call) {
      return await changeKey(tools, ref, { changeOf: (key) => ({ enabled: true, ...unrestricted(key) }) }, call);
    },
    async restrict(ref, call) {
      return await changeKey(tools, ref, { changeOf: (key) => ({ enabled: true, ...restricted(key) }) }, call);
    },
    async disable(ref, call) {
      return await changeKey(tools, ref, { changeOf: () => ({ enabled: false }) }, call);
    },
    async scheduleDestruction(ref, days, call) {
      return await scheduleDestruction(tools, { ref, days }, call);
    },
    async cancelDestruction(ref, call) {
      const { requestId } = await control.recoverKey(parseRef(ref, data.url).name, call);
      const there = await afterChange(tools.scheduler, async () => await describeKey(tools, ref, call), call);
      return { ...there, requestId };
    },
  };
}

type Change = { readonly changeOf: (key: KeyVaultKey) => KeyChange };

/** Reads the key, whose key_ops and tags are replaced as a whole, and writes what is to be of it, in one request. */
async function changeKey(
  { data, control, clock }: Tools,
  ref: NativeRef,
  { changeOf }: Change,
  call: CallContext,
): Promise<Observation> {
  const key = parseRef(ref, data.url);
  return await whileThere(data, key, call, async () => {
    const before = await data.getKey(key, call);
    const { value, requestId } = await control.updateKey(key, changeOf(before.value), call);
    return observationOf(value, { ref, now: clock.now(), requestId });
  });
}
