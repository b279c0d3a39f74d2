import { ProviderError } from "#core/failures.ts";
import type { CallContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KmsClient } from "./client.ts";
import { isRestrictedPolicy, liftedPolicy, restrictedPolicy } from "./key-policy.ts";
import { present } from "./present.ts";
import { PROCESS_ONLY_TAG, STATE } from "./tags.ts";

/** The only policy that a key has. */
const PolicyName = "default";

/**
 * Denies protecting: the policy, then the tag that says so. In this order, a key whose tag says `process-only` is one; where the
 * second call fails the key seems enabled, and the repeated change ends what was begun. Both are written even where they seem
 * to be there: what is read may be older than a change that lifted them.
 */
export async function restrictKey(control: KmsClient, ref: NativeRef, call: CallContext): Promise<void> {
  const policy = await readPolicy(control, ref, call);
  await control.putKeyPolicy({ KeyId: ref, PolicyName, Policy: restrictedPolicy(policy) }, call);
  await control.tagResource({ KeyId: ref, Tags: [PROCESS_ONLY_TAG] }, call);
}

/**
 * Undoes {@link restrictKey}, in the same order, where policy or tag show it: the policy of a key that was never restricted is
 * not written. Tells whether there was anything to undo.
 */
export async function liftRestriction(
  control: KmsClient,
  { ref, tagged }: { readonly ref: NativeRef; readonly tagged: boolean },
  call: CallContext,
): Promise<boolean> {
  const policy = await readPolicy(control, ref, call);
  if (!tagged && !isRestrictedPolicy(policy)) return false;
  await control.putKeyPolicy({ KeyId: ref, PolicyName, Policy: liftedPolicy(policy) }, call);
  await control.untagResource({ KeyId: ref, TagKeys: [STATE] }, call);
  return true;
}

async function readPolicy(control: KmsClient, ref: NativeRef, call: CallContext): Promise<string> {
  const answer = await control.getKeyPolicy({ KeyId: ref, PolicyName }, call);
  return present(answer.Policy, { field: "Policy", answer });
}

/** What the service says of a key in a state that forbids a change, found by reading. */
export function forbiddenByState(): ProviderError {
  return new ProviderError({ failure: "STATE", detail: "the state of the key does not allow this" });
}
