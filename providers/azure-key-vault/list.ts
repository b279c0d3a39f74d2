import type { CallContext, Observation } from "#core/provider.ts";
import type { KeyProperties } from "./client.ts";
import { describeKey, findDeleted } from "./describe.ts";
import { faultOf } from "./errors.ts";
import { nameOfMarker, refOf } from "./refs.ts";
import { markerOf } from "./tags.ts";
import type { Tools } from "./tools.ts";
import { versionsOf } from "./versions.ts";

/**
 * Every key of the vault: the list of names, and of each its versions, and of each version the key, since lists tell neither the type
 * nor key_ops; then the deleted ones. Of a key of ours only the first version counts; of others each one.
 * A key that is gone by then is left out; one that may not be read is `unknown`.
 */
export async function* listKeys({ control, clock }: Tools, call: CallContext): AsyncGenerator<Observation> {
  const reader = { data: control, clock };
  for await (const some of batches(control.listKeys(call))) {
    const seen = await Promise.all(some.map(async ({ name }) => await observeAll(reader, name, call)));
    yield* seen.flat();
  }
  for await (const some of batches(control.listDeletedKeys(call))) {
    const seen = await Promise.all(some.map(async ({ name }) => await findDeleted(control, { name }, call)));
    yield* seen.filter((observation) => observation !== undefined);
  }
}

/** At some 20 ms each, a small part of the 400 requests that a vault takes in a second. */
const AT_ONCE = 4;

type Reader = Pick<Tools, "data" | "clock">;

async function observeAll(reader: Reader, name: string, call: CallContext): Promise<Observation[]> {
  const versions = await versionsOf(reader.data, name, call);
  const [first] = versions;
  const marker = markerOf(first?.tags);
  const isOurs = marker !== null && name === nameOfMarker(marker);
  const seen: Observation[] = [];
  for (const version of isOurs ? versions.slice(0, 1) : versions) {
    const observation = await observe(reader, version, call);
    if (observation !== undefined) seen.push(observation);
  }
  return seen;
}

async function observe(reader: Reader, found: KeyProperties, call: CallContext): Promise<Observation | undefined> {
  const { name, version = "", tags, createdOn } = found;
  const ref = refOf({ origin: reader.data.url, name, version });
  try {
    return await describeKey(reader, ref, call);
  } catch (error) {
    const { failure, nativeCode = "", requestId = null } = faultOf(error);
    if (failure === "NOT_FOUND") return undefined;
    if (failure !== "DENIED") throw error;
    const createTime = createdOn?.getTime() ?? null;
    const unread = { algorithm: null, destroyTime: null, createTime, requestId };
    return { ref, observed: "unknown", nativeState: nativeCode, marker: markerOf(tags), ...unread };
  }
}

async function* batches<T>(all: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let some: T[] = [];
  for await (const one of all) {
    some.push(one);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
