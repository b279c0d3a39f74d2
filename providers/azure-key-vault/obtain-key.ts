import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { Answer, CallContext, Observation } from "#core/provider.ts";
import type { KeyVaultKey } from "./client.ts";
import { describeKey, findDeleted } from "./describe.ts";
import { faultOf, refused } from "./errors.ts";
import { observationOf } from "./observation.ts";
import { pause } from "./pause.ts";
import { present } from "./present.ts";
import { type KeyRef, nameOfMarker, refOf } from "./refs.ts";
import type { Tools } from "./tools.ts";
import { versionsOf } from "./versions.ts";

type Wanted = {
  readonly marker: string;
  readonly algorithm: AlgorithmName;
  /** Makes a key, or a version of one, of that name. */
  readonly make: (name: string) => Promise<Answer<KeyVaultKey>>;
};

/**
 * How long after a key was made the first of its versions is known: the service's times are of whole seconds, and another second is
 * for clocks of its machines that differ.
 */
const SETTLED_MS = 2000;
/** Whether a key was made so long ago is told by our clock, which may differ by this from the service's. */
const OLD_MS = 60_000;

/**
 * Makes the key of a marker, or answers the one that is there. To create a key whose name is taken makes a version of it, and the
 * service has no condition to prevent that: of all that create at once, the first version is the key, and the others are disabled by
 * those who made them. A version that comes later, by whatever hand, changes nothing.
 */
export async function obtainKey(
  tools: Tools,
  { marker, algorithm, make }: Wanted,
  call: CallContext,
): Promise<Observation> {
  const name = nameOfMarker(marker);
  const there = await findKey(tools, name, call);
  if (there !== undefined) return sameKind(there, algorithm);
  const made = await makeUnlessDeleted(tools, { name, make }, call);
  if ("observed" in made) return sameKind(made, algorithm);

  const { scheduler, data, control, clock } = tools;
  await pause(scheduler, SETTLED_MS, call.signal);
  const own = present(made.value.properties.version, "version", { changes: true });
  const first = (await versionsOf(data, name, call))[0]?.version;
  if (first === undefined) {
    throw new ProviderError({ failure: "OUTAGE", detail: "the service does not show a key that it made" });
  }
  const ref = refOf({ origin: data.url, name, version: first });
  if (first === own) {
    return sameKind(observationOf(made.value, { ref, now: clock.now(), requestId: made.requestId }), algorithm);
  }
  await discard(control, { origin: data.url, name, version: own }, call);
  return sameKind(await describeKey(tools, ref, call), algorithm);
}

/** The key of a name, deleted or not; undefined if there is none. */
async function findKey(tools: Tools, name: string, call: CallContext): Promise<Observation | undefined> {
  const { data, clock, scheduler } = tools;
  let [first] = await versionsOf(data, name, call);
  if (first === undefined) return await findDeleted(data, { name }, call);
  if (clock.now() - (first.createdOn?.getTime() ?? 0) < OLD_MS) {
    await pause(scheduler, SETTLED_MS, call.signal);
    [first] = await versionsOf(data, name, call);
  }
  const version = present(first?.version, "version");
  return await describeKey(tools, refOf({ origin: data.url, name, version }), call);
}

async function makeUnlessDeleted(
  { data }: Tools,
  { name, make }: { readonly name: string; readonly make: Wanted["make"] },
  call: CallContext,
): Promise<Answer<KeyVaultKey> | Observation> {
  try {
    return await make(name);
  } catch (error) {
    if (faultOf(error).nativeCode !== "ObjectIsDeletedButRecoverable") throw error;
    const deleted = await findDeleted(data, { name }, call);
    if (deleted === undefined) throw error;
    return deleted;
  }
}

/** Disables a version of which nobody has learnt. If that fails too, it stays behind. */
async function discard(control: Tools["control"], own: KeyRef, call: CallContext): Promise<void> {
  try {
    await control.updateKey(own, { enabled: false }, call);
  } catch {
    // what is told to the caller is the key that was first
  }
}

/** What a marker names must be what was asked for: everything else was not made by us. */
function sameKind(there: Observation, algorithm: AlgorithmName): Observation {
  if (there.algorithm === algorithm) return there;
  throw refused("the name of the marker is that of a key of another kind");
}
