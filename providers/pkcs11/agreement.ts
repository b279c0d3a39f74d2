import { createPublicKey } from "node:crypto";
import { ProviderError } from "#core/failures.ts";
import type { KeyAgreement } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { ask, ownBytes, type Tools } from "./tools.ts";

const CURVES: Readonly<Record<string, { readonly jwk: string; readonly bytes: number }>> = {
  "ECDH-P256": { jwk: "P-256", bytes: 32 },
  "ECDH-P384": { jwk: "P-384", bytes: 48 },
  "ECDH-P521": { jwk: "P-521", bytes: 66 },
};

/** ECC CDH (SP 800-56A § 5.7.1.2) in the token; the peer's point is checked here. */
export function pkcs11Agreement(tools: Tools): KeyAgreement {
  const { capabilities } = tools;
  return {
    agree: async ({ ref, algorithm, peerPublicKey }, call) => {
      requireCapability(capabilities, "agree", algorithm);
      const curve = CURVES[algorithm];
      const point = curve && pointOf(peerPublicKey, curve);
      if (curve === undefined || point === undefined) {
        await ask(tools, call, "publicKey", { id: ref }); // a key that is not there is told first
        throw new ProviderError({ failure: "INVALID", detail: `the bytes are no public key for ${algorithm}` });
      }
      const value = ownBytes(await ask(tools, call, "derive", { id: ref, algorithm, point, bytes: curve.bytes }));
      return { value, requestId: null };
    },
  };
}

/** The uncompressed point of an SPKI, if it is one of the curve and on it. */
function pointOf(
  spki: Uint8Array,
  { jwk, bytes }: { readonly jwk: string; readonly bytes: number },
): Buffer | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    if (!key.export({ format: "der", type: "spki" }).equals(spki)) return undefined;
    const { kty, crv, x = "", y = "" } = key.export({ format: "jwk" });
    const [left, right] = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
    if (kty !== "EC" || crv !== jwk || left.length !== bytes || right.length !== bytes) return undefined;
    return Buffer.concat([Buffer.from([4]), left, right]);
  } catch {
    return undefined;
  }
}
