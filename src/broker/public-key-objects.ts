import { KmsError } from "#core/errors.ts";
import type { NativeBindingRecord } from "#core/records.ts";
import { parsePublicKey, publicKeyId, type PublicKeyObject } from "#envelope/public-key.ts";

/** Parsed public keys, for as long as their bindings are in memory. */
export class PublicKeyObjects {
  readonly #objects = new WeakMap<NativeBindingRecord, PublicKeyObject>();

  /** @throws {KmsError} `UNSUPPORTED_COMBINATION` for a key without a public half; `INTEGRITY_FAILURE` for one that does not parse */
  of(binding: NativeBindingRecord): PublicKeyObject {
    const known = this.#objects.get(binding);
    if (known !== undefined) return known;
    const made = parsePublicKey(spkiOf(binding));
    if (made === undefined) throw new KmsError("INTEGRITY_FAILURE", "the public key that is kept does not parse");
    this.#objects.set(binding, made);
    return made;
  }
}

/** Names the public key of a binding ({@link publicKeyId}). */
export function kidOf(binding: NativeBindingRecord): string {
  return publicKeyId(spkiOf(binding));
}

function spkiOf({ publicKey }: NativeBindingRecord): Buffer {
  if (publicKey !== null) return Buffer.from(publicKey, "base64");
  throw new KmsError("UNSUPPORTED_COMBINATION", "the key has no public half", {
    help: "keys of purpose sign, agree and kem have one, and RSA keys",
  });
}
