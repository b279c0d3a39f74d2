import type { CallContext, Capabilities } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KeyVaultClient } from "./client.ts";
import { whileThere } from "./describe.ts";
import { type KeyRef, parseRef } from "./refs.ts";

/** What uses of keys work with. */
export type Ability = { readonly data: KeyVaultClient; readonly capabilities: Capabilities };

/** Uses a key; one that is deleted is in a state that forbids it, whatever the service calls that. */
export async function useKey<T>(
  { data }: Ability,
  ref: NativeRef,
  call: CallContext,
  run: (key: KeyRef) => Promise<T>,
): Promise<T> {
  const key = parseRef(ref, data.url);
  return await whileThere(data, key, call, async () => await run(key));
}
