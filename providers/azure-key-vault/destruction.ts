import { ProviderError } from "#core/failures.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KeyVaultKey } from "./client.ts";
import { findDeleted } from "./describe.ts";
import { faultOf, refused } from "./errors.ts";
import type { KeyTools } from "./tools.ts";
import { deletedObservationOf } from "./observation.ts";
import { present } from "./present.ts";
import { type KeyRef, parseRef } from "./refs.ts";
import { markerOf } from "./tags.ts";
import { versionsOf } from "./versions.ts";

/**
 * Deletes a key: the service keeps it for as many days as the vault has set, and destroys it then. Before that the key is disabled,
 * so that one that is recovered does nothing until somebody enables it.
 */
export async function scheduleDestruction(
  tools: KeyTools,
  { ref, days }: { readonly ref: NativeRef; readonly days: number },
  call: CallContext,
): Promise<Observation> {
  const { data, control, capabilities } = tools;
  const wanted = capabilities.destructionDays?.min ?? 0;
  if (days !== wanted) throw refused(`unsupported: destruction in days, wanted ${wanted}`);
  const key = parseRef(ref, data.url);
  const found = await findKey(tools, { key, ref }, call);
  if ("observed" in found) return found;
  requireWindow(found, wanted);
  await requireWhole(tools, { key, found }, call);
  if (found.properties.enabled === true) await control.updateKey(key, { enabled: false }, call);
  const { value, requestId } = await control.deleteKey(key.name, call);
  return deletedObservationOf(present(value, "the deleted key", { changes: true }), { ref, requestId });
}

/** The key, or what is to be seen of it where it is deleted already. */
async function findKey(
  { data }: KeyTools,
  { key, ref }: { readonly key: KeyRef; readonly ref: NativeRef },
  call: CallContext,
): Promise<KeyVaultKey | Observation> {
  try {
    return (await data.getKey(key, call)).value;
  } catch (error) {
    const isMissing = faultOf(error).failure === "NOT_FOUND";
    const deleted = isMissing ? await findDeleted(data, { name: key.name, ref }, call) : undefined;
    if (deleted === undefined) throw error;
    return deleted;
  }
}

/** The window is the vault's: where it is another than the configuration says, nobody would learn of it in time. */
function requireWindow({ properties }: KeyVaultKey, wanted: number): void {
  const { recoverableDays } = properties;
  if (recoverableDays === wanted) return;
  const detail =
    recoverableDays === undefined
      ? "unsupported: the vault does not say that it keeps deleted keys"
      : `unsupported: the vault keeps deleted keys for ${recoverableDays} days, not ${wanted}: set retentionDays to ${recoverableDays}`;
  throw refused(detail);
}

/** The service deletes all versions of a key. Those of ours have one that counts; those of others may have more in use. */
async function requireWhole(
  { data }: KeyTools,
  { key, found }: { readonly key: KeyRef; readonly found: KeyVaultKey },
  call: CallContext,
): Promise<void> {
  if (markerOf(found.properties.tags) !== null) return;
  const { length } = await versionsOf(data, key.name, call);
  if (length <= 1) return;
  const detail = `unsupported: the key has ${length} versions, which the service deletes together`;
  throw new ProviderError({ failure: "INTERNAL", detail });
}
