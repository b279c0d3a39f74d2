import { createPublicKey, type JsonWebKey as NodeJwk } from "node:crypto";
import type { PublicKeys } from "#core/provider.ts";
import { type Ability, useKey } from "./ability.ts";
import type { JsonWebKey } from "./client.ts";
import { refused } from "./errors.ts";
import { present, presentBytes } from "./present.ts";

/** GetKey: a JWK, which node:crypto turns into SPKI DER. */
export function createPublicKeys(ability: Ability): PublicKeys {
  const { data } = ability;
  return {
    async publicKey(ref, call) {
      const { value, requestId } = await useKey(ability, ref, call, async (key) => await data.getKey(key, call));
      const key = createPublicKey({ key: jwkOf(present(value.key, "a key")), format: "jwk" });
      return { value: key.export({ format: "der", type: "spki" }), requestId };
    },
  };
}

function jwkOf({ kty = "", crv, n, e, x, y }: JsonWebKey): NodeJwk {
  if (kty.startsWith("RSA")) return { kty: "RSA", n: text(n, "n"), e: text(e, "e") };
  if (!kty.startsWith("EC")) throw refused("unsupported: a public key of a symmetric key");
  // secp256k1 has a name of Microsoft's own (RFC 8812 § 3.1).
  return { kty: "EC", crv: crv === "P-256K" ? "secp256k1" : present(crv, "crv"), x: text(x, "x"), y: text(y, "y") };
}

function text(bytes: unknown, field: string): string {
  return Buffer.from(presentBytes(bytes, field)).toString("base64url");
}
