import { ciphertextInvalid } from "#core/errors.ts";
import { encapsulateTo } from "#envelope/public-key.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { callNative, nativeBindingOf, nativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { currentVersion } from "./process-versions.ts";
import { protectVersion } from "./protect-version.ts";

export type Encapsulation = {
  readonly ciphertext: Buffer;
  readonly sharedSecret: Buffer;
  readonly keyVersion: number;
  readonly provider?: string;
};
/** Bare FIPS 203 bytes. */
export type DecapsulateItem = { readonly ciphertext: Buffer };
export type Decapsulated = { readonly sharedSecret: Buffer; readonly keyVersion: number; readonly provider: string };

/** A fresh secret and its ciphertext, under the primary version: in the provider, or on the retained public key where it only decapsulates. */
export const { single: encapsulate, batch: encapsulateBatch } = contextless("encapsulate", encapsulateWith);

/**
 * The secret in a ciphertext, by the version that is named, or the primary one. A ciphertext of the right length always gives a secret; a wrong
 * one another secret (implicit rejection).
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a ciphertext of another length
 */
export const { single: decapsulate, batch: decapsulateBatch } = contextless("decapsulate", decapsulateWith);

async function encapsulateWith(parts: BrokerParts, caller: Caller, usable: Usable): Promise<Encapsulation> {
  const { key, trace } = usable;
  const version = protectVersion(parts, usable, "encapsulate");
  const { algorithm } = key;
  const holder = parts.fleet.memberByUid(nativeBindingOf(parts, key, version).providerUid);
  if (holder?.provider?.encapsulation?.encapsulate === undefined) return encapsulateLocally(parts, usable, version);
  const use: NativeUse = { key, version, operation: "encapsulate", trace };
  const target = nativeTarget(parts, use);
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    async (opened, ref, call) => {
      const ability = abilityOf(opened.encapsulation, "encapsulate");
      return abilityOf(await ability.encapsulate?.({ ref, algorithm }, call), "encapsulate");
    },
  );
  return { ...value, keyVersion: version, provider };
}

function encapsulateLocally(parts: BrokerParts, { key }: Usable, version: number): Encapsulation {
  const publicKey = parts.publicKeys.of(nativeBindingOf(parts, key, version));
  return { ...encapsulateTo(publicKey), keyVersion: version };
}

async function decapsulateWith(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  { ciphertext }: DecapsulateItem,
): Promise<Decapsulated> {
  const { key, trace } = usable;
  const version = currentVersion(parts, usable, "decapsulate");
  const use: NativeUse = { key, version, operation: "decapsulate", trace };
  const target = nativeTarget(parts, use);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: ciphertextInvalid },
    (opened, ref, call) =>
      abilityOf(opened.encapsulation, "decapsulate").decapsulate({ ref, algorithm, ciphertext }, call),
  );
  return { sharedSecret: value, keyVersion: version, provider };
}
