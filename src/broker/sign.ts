import { KmsError } from "#core/errors.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { callNative, nativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { protectVersion } from "./protect-version.ts";
import { kidOf } from "./public-key-objects.ts";
import { fitSignable, type SignableInput, toSignable } from "./signable.ts";
import { ecdsaToRaw } from "#envelope/ecdsa-encoding.ts";

export type SignatureEncoding = "der" | "raw";
export type SignItem = SignableInput & { readonly encoding?: SignatureEncoding | undefined };
export type Signed = {
  readonly signature: Buffer;
  /** Names the public key that verifies it. */
  readonly kid: string;
  readonly keyVersion: number;
  readonly provider: string;
};

/**
 * Signs a message, or the digest of one, in the provider that holds the key. ECDSA signatures are DER (RFC 3279), or with `encoding: raw`
 * r and s side by side (IEEE P1363).
 *
 * @throws {KmsError} as the gate refuses; `INVALID_ARGUMENT`, `UNSUPPORTED_COMBINATION`, and what {@link callNative} throws
 */
export const { single: sign, batch: signBatch } = contextless("sign", signWith);

async function signWith(parts: BrokerParts, caller: Caller, usable: Usable, item: SignItem): Promise<Signed> {
  const { key, trace } = usable;
  const version = protectVersion(parts, usable, "sign");
  const { algorithm } = key;
  const raw = requireEncoding(algorithm, item.encoding) === "raw";
  const use: NativeUse = { key, version, operation: "sign", trace };
  const asked = toSignable(item, algorithm);
  const target = nativeTarget(parts, use);
  const signable = fitSignable(asked, target.row);
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    (opened, ref, call) => abilityOf(opened.signer, "sign").sign({ ref, algorithm, signable }, call),
  );
  const signature = raw ? ecdsaToRaw(value, algorithm) : value;
  if (signature === undefined) throw new KmsError("INTERNAL", "the provider's signature is no DER");
  return { signature, kid: kidOf(target.binding), keyVersion: version, provider };
}

/** @throws {KmsError} `UNSUPPORTED_COMBINATION`: only ECDSA has two encodings */
export function requireEncoding(algorithm: string, encoding: SignatureEncoding = "der"): SignatureEncoding {
  if (encoding === "der" || algorithm.startsWith("EC-")) return encoding;
  throw new KmsError("UNSUPPORTED_COMBINATION", `encoding: raw is for ECDSA, the key's algorithm is ${algorithm}`, {
    metadata: { algorithm, encoding },
    errors: [{ pointer: "/encoding", code: "conflict", detail: "raw is for ECDSA" }],
  });
}
