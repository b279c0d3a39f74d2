import type { AlgorithmName } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";
import { kindOfKey, parsePublicKey, peerKind } from "#envelope/public-key.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { callNative, nativeTarget, type NativeUse } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { currentVersion } from "./process-versions.ts";

/** `peerPublicKey` is SPKI DER. */
export type AgreeItem = { readonly peerPublicKey: Buffer };
export type Agreed = { readonly sharedSecret: Buffer; readonly keyVersion: number; readonly provider: string };

/**
 * Diffie-Hellman with the version that is named, or the primary one: the raw x-coordinate (SP 800-56A), or the 32 bytes of X25519. Not a key
 * yet: derive one from it.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a peer key of another curve, off the curve, or that is none
 */
export const { single: agree, batch: agreeBatch } = contextless("agree", agreeWith);

async function agreeWith(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  { peerPublicKey }: AgreeItem,
): Promise<Agreed> {
  const { key, trace } = usable;
  const version = currentVersion(parts, usable, "agree");
  requirePeer(key.algorithm, peerPublicKey);
  const use: NativeUse = { key, version, operation: "agree", trace };
  const target = nativeTarget(parts, use);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: () => wrongPeer("the key service refuses it") },
    (opened, ref, call) => abilityOf(opened.agreement, "agree").agree({ ref, algorithm, peerPublicKey }, call),
  );
  return { sharedSecret: value, keyVersion: version, provider };
}

/** Whether it is a public key of the curve: points that are not on it do not parse. */
function requirePeer(algorithm: AlgorithmName, spki: Buffer): void {
  const peer = parsePublicKey(spki);
  if (peer === undefined) throw wrongPeer("wanted the SPKI DER of a public key on its curve");
  const [found, wanted] = [kindOfKey(peer), peerKind(algorithm) ?? "none"];
  if (found !== wanted) throw wrongPeer(`wanted a key of ${wanted}, got ${found}`);
}

function wrongPeer(detail: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `peerPublicKey: ${detail}`, {
    errors: [{ pointer: "/peerPublicKey", code: "format", detail }],
  });
}
