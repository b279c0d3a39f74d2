import type { AlgorithmName } from "#core/algorithms.ts";
import type { Random } from "#core/clock.ts";
import type { CallContext, Signable, Signer } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { signEcdsaDigest, verifyEcdsaDigest } from "./ecdsa-digest.ts";
import { unsupported } from "./errors.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { signPkcs1Digest, verifyPkcs1Digest } from "./pkcs1-digest.ts";
import type { KeyPair } from "./private-key.ts";
import { digestBytes } from "./shapes.ts";
import { signMessage, verifyMessage } from "./signatures.ts";
import { requireUsable } from "./states.ts";

export type LocalSignerParts = { readonly store: ObjectStore; readonly pairs: KeyPairs; readonly random: Random };
type SignInput = { readonly ref: string; readonly algorithm: AlgorithmName; readonly signable: Signable };

/** Signs messages with node:crypto, off the event loop; digests where PKCS #1 v1.5 or ECDSA take them. */
export function localSigner({ store, pairs, random }: LocalSignerParts): Signer {
  const pairFor = async (operation: "sign" | "verify", { ref, algorithm, signable }: SignInput): Promise<KeyPair> => {
    requireSignable(operation, algorithm, signable);
    return await store.use(objectIdOfRef(ref), (object) => {
      requireUsable(object.meta, algorithm);
      return pairs.of(object);
    });
  };
  return {
    sign: async (input, call: CallContext) =>
      await underSignal(call, async () => {
        const { privateKey: key } = await pairFor("sign", input);
        const { algorithm, signable } = input;
        if (signable.kind === "message") {
          return { value: await signMessage({ algorithm, key, message: signable.bytes }), requestId: null };
        }
        const given = { algorithm, key, digest: signable.bytes };
        const value = isEcdsa(algorithm) ? signEcdsaDigest(given, random) : signPkcs1Digest(given);
        return { value, requestId: null };
      }),
    verify: async ({ signature, ...input }, call: CallContext) =>
      await underSignal(call, async () => {
        const { publicKey: key } = await pairFor("verify", input);
        const { algorithm, signable } = input;
        if (signable.kind === "message") {
          return { value: verifyMessage({ algorithm, key, message: signable.bytes, signature }), requestId: null };
        }
        const given = { algorithm, key, digest: signable.bytes, signature };
        return { value: isEcdsa(algorithm) ? verifyEcdsaDigest(given) : verifyPkcs1Digest(given), requestId: null };
      }),
  };
}

function requireSignable(operation: "sign" | "verify", algorithm: AlgorithmName, { kind, bytes }: Signable): void {
  const row = requireCapability(operation, algorithm, bytes.length);
  if (kind === "message") return;
  if (row.digests !== true) throw unsupported(`${operation} of a digest with ${algorithm}`);
  const wanted = digestBytes(algorithm);
  if (bytes.length !== wanted) throw unsupported(`${operation} of a digest of ${bytes.length} bytes with ${algorithm}`);
}

function isEcdsa(algorithm: AlgorithmName): boolean {
  return algorithm.startsWith("EC-");
}
