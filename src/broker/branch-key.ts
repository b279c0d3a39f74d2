import { KmsError } from "#core/errors.ts";
import type { Uuid } from "#core/ids.ts";
import { branchVersionRowId, type BranchRecord } from "#core/records.ts";
import type { Deadline } from "#resilience/deadline.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";

export type BranchKeyCall = { readonly requestId: string; readonly deadline: Deadline; readonly trace: Trace };

/**
 * The branch key, which the cache owns: at once while it is warm, otherwise when one recipient has opened it. A caller that leaves does
 * not end the load.
 *
 * @throws {KmsError} `NO_PROVIDER`, `INTEGRITY_FAILURE`, `DEADLINE_EXCEEDED`
 */
export async function branchKeyOf(
  parts: BrokerParts,
  branch: BranchRecord,
  version: number,
  call: BranchKeyCall,
): Promise<Buffer> {
  const key = parts.branchKeys.get(branch.id, version);
  return key instanceof Promise ? await awaitLoad(parts, key, { branch: branch.id, version, ...call }) : key;
}

/** Waits for a load within the caller's own deadline and tells its provider calls in the caller's trace. */
export async function awaitLoad(
  parts: BrokerParts,
  load: Promise<Buffer>,
  {
    branch,
    version,
    deadline,
    trace,
  }: { readonly branch: Uuid; readonly version: number } & Omit<BranchKeyCall, "requestId">,
): Promise<Buffer> {
  const attempts = parts.flights.get(branchVersionRowId(branch, version)) ?? [];
  try {
    return await deadline.race(load);
  } catch (error) {
    throw error instanceof KmsError ? error : new KmsError("INTERNAL", "something went wrong inside", { cause: error });
  } finally {
    trace.attempts.push(...attempts);
  }
}
