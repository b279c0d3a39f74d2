import { NO_CONTEXT } from "#core/context.ts";
import { ciphertextInvalid } from "#core/errors.ts";
import { encapsulateTo } from "#envelope/public-key.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { callNative, nativeBindingOf, nativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { type ItemOutcome, operate, operateBatch, type Served, type Usable } from "./operate.ts";
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
export async function encapsulate(parts: BrokerParts, caller: Caller, key: string): Promise<Encapsulation & Served> {
  const use = { key, operation: "encapsulate", context: NO_CONTEXT } as const;
  return await operate(parts, caller, use, (usable) => encapsulateWith(parts, caller, usable));
}

export async function encapsulateBatch(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  items: readonly unknown[],
): Promise<readonly ItemOutcome<Encapsulation & Served>[]> {
  const inputs = items.map(() => ({ context: NO_CONTEXT }));
  return await operateBatch(parts, caller, { key, operation: "encapsulate" }, inputs, (usable) =>
    encapsulateWith(parts, caller, usable),
  );
}

/**
 * The secret in a ciphertext, by the version that is named, or the primary one. A ciphertext of the right length always gives a secret; a wrong
 * one another secret (implicit rejection).
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a ciphertext of another length
 */
export async function decapsulate(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  item: DecapsulateItem,
): Promise<Decapsulated & Served> {
  const use = { key, operation: "decapsulate", context: NO_CONTEXT } as const;
  return await operate(parts, caller, use, (usable) => decapsulateWith(parts, caller, usable, item));
}

export async function decapsulateBatch(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  items: readonly DecapsulateItem[],
): Promise<readonly ItemOutcome<Decapsulated & Served>[]> {
  const inputs = items.map((item) => ({ item, context: NO_CONTEXT }));
  return await operateBatch(parts, caller, { key, operation: "decapsulate" }, inputs, (usable, { item }) =>
    decapsulateWith(parts, caller, usable, item),
  );
}

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
