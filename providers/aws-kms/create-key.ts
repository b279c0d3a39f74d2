import type { AlgorithmName } from "#core/algorithms.ts";
import type { Scheduler } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KmsClient } from "./client.ts";
import { findKey } from "./describe.ts";
import { faultOf, refused } from "./errors.ts";
import { aliasOf } from "./names.ts";
import { observationOf } from "./observation.ts";
import { present, requestIdOf } from "./present.ts";
import { settle } from "./settle.ts";
import { shapeOf } from "./specs.ts";
import { tagsOf } from "./tags.ts";

/** Clients with the credentials of either plane; the same one where they do not differ. */
export type Planes = { readonly data: KmsClient; readonly control: KmsClient };
type Tools = Planes & { readonly scheduler: Scheduler; readonly multiRegion: boolean };
type Spec = {
  readonly algorithm: AlgorithmName;
  readonly marker: string;
  readonly description: string;
  /** Whether its material comes from outside: the key is born without. */
  readonly external?: boolean;
};

/**
 * Makes a key with a marker, or answers the one that has it. The alias is what makes the marker unique: of two that create at
 * once, one gets AlreadyExistsException, and discards its own.
 *
 * A try whose answer is lost between CreateKey and CreateAlias leaves a key without an alias, which nobody uses; its tags say
 * whose it is.
 */
export async function createKey(tools: Tools, spec: Spec, call: CallContext): Promise<Observation> {
  const { data, control, scheduler, multiRegion } = tools;
  const { algorithm, marker } = spec;
  shapeOf(algorithm); // refuses what the service does not have, before any call
  if (!MARKER.test(marker)) throw refused("wanted a marker of 1 to 64 lower-case letters, digits and hyphens");
  const there = await findKey(data, marker, call);
  if (there !== undefined) return sameKind(there, algorithm);

  const made = await makeKey(control, { ...spec, multiRegion }, call);
  const alias = { AliasName: aliasOf(marker), TargetKeyId: made.ref };
  try {
    await settle(scheduler, async () => await control.createAlias(alias, call), call);
    return made;
  } catch (error) {
    return sameKind(await resolveConflict(tools, { error, made, marker }, call), algorithm);
  }
}

const MARKER = /^[a-z0-9-]{1,64}$/u;

async function makeKey(
  control: KmsClient,
  spec: Spec & { readonly multiRegion: boolean },
  call: CallContext,
): Promise<Observation> {
  const { algorithm, marker, description, external = false } = spec;
  const { keySpec, keyUsage } = shapeOf(algorithm);
  const input = {
    KeySpec: keySpec,
    KeyUsage: keyUsage,
    Description: description,
    Tags: tagsOf(spec),
    ...(external ? { Origin: "EXTERNAL" as const } : {}),
    ...(spec.multiRegion ? { MultiRegion: true } : {}),
  };
  const answer = await control.createKey(input, call);
  const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer, mutates: true });
  const ref = present(metadata.Arn, { field: "Arn", answer, mutates: true });
  const tags = { marker, algorithm, processOnly: false };
  return observationOf(metadata, { ref, marker, tags, requestId: requestIdOf(answer) });
}

type Conflict = { readonly error: unknown; readonly made: Observation; readonly marker: string };

/** After CreateAlias failed: the key that has the alias, if another was faster; else the error. */
async function resolveConflict(
  { data, control }: Tools,
  { error, made, marker }: Conflict,
  call: CallContext,
): Promise<Observation> {
  const { failure, nativeCode } = faultOf(error);
  if (nativeCode === "AlreadyExistsException") {
    const winner = await findKey(data, marker, call);
    if (winner === undefined) throw error; // not to be seen yet
    if (winner.ref !== made.ref) await discard(control, made.ref, call);
    return winner;
  }
  // When it is not known whether the alias was made, the key may be the marker's.
  if (failure !== "UNKNOWN_OUTCOME" && failure !== "CANCELLED") await discard(control, made.ref, call);
  if (failure !== "NOT_FOUND" && failure !== "STATE") throw error;
  throw new ProviderError({ failure: "OUTAGE", detail: "the service does not show a key that it made" }, error);
}

/** Schedules the deletion of a key of which nobody has learnt. If that fails too, it stays behind, with its tags. */
async function discard(control: KmsClient, ref: NativeRef, call: CallContext): Promise<void> {
  try {
    await control.scheduleKeyDeletion({ KeyId: ref, PendingWindowInDays: 7 }, call);
  } catch {
    // what is told to the caller is why the alias could not be made
  }
}

/** What a marker names must be what was asked for: everything else was not made by us. */
function sameKind(there: Observation, algorithm: AlgorithmName): Observation {
  if (there.algorithm === algorithm) return there;
  throw refused("the alias of the marker names a key of another kind");
}
