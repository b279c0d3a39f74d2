import type { CallContext } from "#core/provider.ts";
import type { KeyProperties, KeyVaultClient } from "./client.ts";
import { faultOf } from "./errors.ts";

/** The versions of a key, the first that was made first; none where there is no such key. */
export async function versionsOf(
  client: KeyVaultClient,
  name: string,
  call: CallContext,
): Promise<readonly KeyProperties[]> {
  try {
    const found: KeyProperties[] = [];
    for await (const one of client.listVersions(name, call)) found.push(one);
    return found.toSorted(byAge);
  } catch (error) {
    if (faultOf(error).failure === "NOT_FOUND") return [];
    throw error;
  }
}

/** The service's times are of whole seconds; of one second, the names decide, the same for everybody. */
function byAge(a: KeyProperties, b: KeyProperties): number {
  const difference = (a.createdOn?.getTime() ?? 0) - (b.createdOn?.getTime() ?? 0);
  return difference !== 0 ? difference : (a.version ?? "") < (b.version ?? "") ? -1 : 1;
}
