import { ProviderError } from "#core/failures.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KmsClient } from "./client.ts";
import { describeKey } from "./describe.ts";
import { faultOf } from "./errors.ts";

/** A key after a change of it. */
export async function readBack(client: KmsClient, ref: NativeRef, call: CallContext): Promise<Observation> {
  return await afterChange(async () => await describeKey(client, ref, call));
}

/** Runs what follows on a change: where it has no answer, nobody knows what became of the whole. */
export async function afterChange<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const fault = faultOf(error);
    throw fault.failure === "OUTAGE" ? new ProviderError({ ...fault, failure: "UNKNOWN_OUTCOME" }, error) : error;
  }
}
