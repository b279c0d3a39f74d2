import type { BranchRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import { createBranch, findBranch, type NewBranch, type Placement } from "./branch.ts";
import { branchKeyOf } from "./branch-key.ts";
import type { BrokerParts } from "./parts.ts";
import type { Trace } from "./trace.ts";

type Obtain = { readonly placement: Placement; readonly record: Trace };
/** A branch and the key of its primary version: the cache owns it, but for a fresh one, whose key the caller zeroes. */
type Obtained = { readonly branch: BranchRecord; readonly branchKey: Buffer; readonly fresh: NewBranch | undefined };

/** The branch of a placement; made where there is none, and then still to be recorded. */
export async function obtainBranch(
  parts: BrokerParts,
  caller: Caller,
  { placement, record }: Obtain,
): Promise<Obtained> {
  const call = { requestId: caller.requestId, deadline: caller.deadline, trace: record };
  const branch = findBranch(parts, placement);
  if (branch !== undefined)
    return { branch, branchKey: await branchKeyOf(parts, branch, branch.primaryVersion, call), fresh: undefined };
  const fresh = await createBranch(parts, placement, call);
  return { branch: fresh.branch, branchKey: fresh.branchKey, fresh };
}
