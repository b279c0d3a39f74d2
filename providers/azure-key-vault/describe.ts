import { ProviderError } from "#core/failures.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KeyVaultClient } from "./client.ts";
import { faultOf, forbiddenByState } from "./errors.ts";
import { deletedObservationOf, observationOf } from "./observation.ts";
import { present } from "./present.ts";
import { type KeyRef, parseRef, refOf } from "./refs.ts";
import type { Tools } from "./tools.ts";

/** One version of a key, also where the key is deleted. */
export async function describeKey(
  { data, clock }: Pick<Tools, "data" | "clock">,
  ref: NativeRef,
  call: CallContext,
): Promise<Observation> {
  const key = parseRef(ref, data.url);
  try {
    const { value, requestId } = await data.getKey(key, call);
    return observationOf(value, { ref, now: clock.now(), requestId });
  } catch (error) {
    const deleted = await whereMissing(data, { error, name: key.name, ref }, call);
    if (deleted === undefined) throw error;
    return deleted;
  }
}

/** The deleted key of a name; undefined if there is none, or if nobody lets us see it. */
export async function findDeleted(
  data: KeyVaultClient,
  { name, ref }: { readonly name: string; readonly ref?: NativeRef },
  call: CallContext,
): Promise<Observation | undefined> {
  try {
    const { value, requestId } = await data.getDeletedKey(name, call);
    const found = ref ?? refOf({ origin: data.url, name, version: present(value.properties.version, "version") });
    return deletedObservationOf(value, { ref: found, requestId });
  } catch (error) {
    const { failure } = faultOf(error);
    if (failure === "NOT_FOUND" || failure === "DENIED" || failure === "STATE") return undefined;
    throw error;
  }
}

type Missing = { readonly error: unknown; readonly name: string; readonly ref: NativeRef };

async function whereMissing(
  data: KeyVaultClient,
  { error, name, ref }: Missing,
  call: CallContext,
): Promise<Observation | undefined> {
  return faultOf(error).failure === "NOT_FOUND" ? await findDeleted(data, { name, ref }, call) : undefined;
}

/**
 * Runs what a deleted key does not do: the service then says that there is no such key, whether it is deleted or never was.
 *
 * @throws {ProviderError} `STATE` where the key is deleted.
 */
export async function whileThere<T>(
  data: KeyVaultClient,
  { name }: KeyRef,
  call: CallContext,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isMissing = error instanceof ProviderError && error.fault.failure === "NOT_FOUND";
    if (!isMissing || (await findDeleted(data, { name }, call)) === undefined) throw error;
    throw forbiddenByState("the key is deleted");
  }
}
