import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { shapeOf } from "./algorithms.ts";
import { DESTRUCTION_DAYS, type ProtectionLevel } from "./capabilities.ts";
import type { CryptoKey, KmsClient, Version } from "./client.ts";
import { faultOf, refused } from "./errors.ts";
import { CANARY_MARKER, keyIdOf, keyOfRef, labelsOf, markerOf } from "./names.ts";
import { observationOf } from "./observation.ts";
import { present } from "./present.ts";

export type Planes = { readonly data: KmsClient; readonly control: KmsClient };
export type Place = { readonly keyRing: string; readonly level: ProtectionLevel };
type Spec = {
  readonly algorithm: AlgorithmName;
  readonly marker: string;
  /** Its material comes from outside: the key is born without a version. */
  readonly external?: boolean;
};

const DAY_SECONDS = 86_400;

/** Describes a version with the labels of its key: two requests. */
export async function describeVersion(client: KmsClient, ref: NativeRef, call: CallContext): Promise<Observation> {
  const [version, key] = await Promise.all([
    client.getVersion({ name: ref }, call),
    client.getCryptoKey({ name: keyOfRef(ref) }, call),
  ]);
  return observationOf(version, key.labels);
}

/** Makes the CryptoKey of a marker, or answers the one that has it: ids are unique in a key ring. */
export async function obtainKey(
  { data, control }: Planes,
  { keyRing, level }: Place,
  spec: Spec,
  call: CallContext,
): Promise<CryptoKey> {
  const { algorithm, marker, external = false } = spec;
  const { purpose, native, hsmOnly = false } = shapeOf(algorithm); // refuses what the service does not have, before any call
  if (hsmOnly && level !== "HSM") throw refused(`unsupported: a key for ${algorithm} in software`);
  const cryptoKeyId = keyIdOf(marker);
  const name = `${keyRing}/cryptoKeys/${cryptoKeyId}`;
  const cryptoKey = {
    purpose,
    versionTemplate: { algorithm: native, protectionLevel: level },
    labels: { ...labelsOf(marker) },
    destroyScheduledDuration: { seconds: DESTRUCTION_DAYS * DAY_SECONDS },
    ...(external ? { importOnly: true } : {}),
  } as CryptoKey;
  try {
    return await control.createCryptoKey(
      { parent: keyRing, cryptoKeyId, cryptoKey, skipInitialVersionCreation: external },
      call,
    );
  } catch (error) {
    if (faultOf(error).nativeCode !== "ALREADY_EXISTS") throw error;
  }
  const there = await data.getCryptoKey({ name }, call);
  if (markerOf(there.labels) === marker && String(there.versionTemplate?.algorithm) === native) return there;
  throw refused("the id of the marker names a key of another kind");
}

/** Creates, enables, disables, destroys and restores versions; each change answers what stands then. */
export function createKeyAdministration(planes: Planes, place: Place): KeyAdministration {
  const { data, control } = planes;
  const setState = async (ref: NativeRef, state: "ENABLED" | "DISABLED", call: CallContext): Promise<Observation> => {
    keyOfRef(ref);
    const cryptoKeyVersion = { name: ref, state } as Version;
    await settled(
      async () => await control.updateVersion({ cryptoKeyVersion, updateMask: { paths: ["state"] } }, call),
    );
    return await reached(data, { ref, state }, call);
  };
  return {
    async create({ algorithm, marker }, call) {
      if (marker === CANARY_MARKER) throw refused("the marker is the canary's");
      return await createVersion(planes, place, { algorithm, marker }, call);
    },
    enable: async (ref, call) => await setState(ref, "ENABLED", call),
    disable: async (ref, call) => await setState(ref, "DISABLED", call),
    async scheduleDestruction(ref, days, call) {
      if (days !== DESTRUCTION_DAYS) throw refused(`unsupported: a window of ${days} days, wanted ${DESTRUCTION_DAYS}`);
      keyOfRef(ref);
      await settled(async () => await control.destroyVersion({ name: ref }, call), ["STATE"]);
      return await reached(data, { ref, state: "DESTROY_SCHEDULED" }, call);
    },
    async cancelDestruction(ref, call) {
      keyOfRef(ref);
      await settled(async () => await control.restoreVersion({ name: ref }, call), ["STATE"]);
      const seen = await describeVersion(data, ref, call);
      if (seen.observed === "disabled" || seen.observed === "enabled") return seen;
      throw wrongState(seen.nativeState);
    },
  };
}

/** The first version of a marker's key: the one that it is made with. */
export async function createVersion(planes: Planes, place: Place, spec: Spec, call: CallContext): Promise<Observation> {
  const key = await obtainKey(planes, place, spec, call);
  const version = await planes.data.getVersion({ name: `${present(key.name, "name")}/cryptoKeyVersions/1` }, call);
  return observationOf(version, key.labels);
}

/** What a change fails with that finds it made already: what stands then tells. */
async function settled(change: () => Promise<unknown>, passed: readonly string[] = []): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!passed.includes(faultOf(error).failure)) throw error;
  }
}

async function reached(
  client: KmsClient,
  { ref, state }: { readonly ref: NativeRef; readonly state: string },
  call: CallContext,
): Promise<Observation> {
  const seen = await describeVersion(client, ref, call);
  if (seen.nativeState === state) return seen;
  throw wrongState(seen.nativeState);
}

function wrongState(nativeState: string): ProviderError {
  return new ProviderError({ failure: "STATE", nativeCode: nativeState, detail: `the key version is ${nativeState}` });
}
