import { createPublicKey } from "node:crypto";
import { ProviderError } from "#core/failures.ts";
import type { PublicKeys } from "#core/provider.ts";
import { ask, type Tools } from "./tools.ts";
import type { PublicHalf } from "./wire.ts";

const EC_PUBLIC_KEY = Buffer.from("06072a8648ce3d0201", "hex");
const ED25519_PARAMS = Buffer.from("06032b6570", "hex");

/** SPKI of the public object, read by node:crypto once before it is believed. */
export function pkcs11PublicKeys(tools: Tools): PublicKeys {
  return {
    publicKey: async (ref, call) => ({
      value: spkiOf(await ask(tools, call, "publicKey", { id: ref })),
      requestId: null,
    }),
  };
}

function spkiOf(half: PublicHalf): Buffer {
  try {
    if (half.kind === "rsa") {
      const [n, e] = [half.modulus, half.exponent].map((bytes) => Buffer.from(bytes).toString("base64url"));
      if (n === undefined || e === undefined) throw new Error("no numbers");
      return createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" }).export({ format: "der", type: "spki" });
    }
    const params = Buffer.from(half.params);
    const point = pointIn(Buffer.from(half.point));
    const isEdwards = params.equals(ED25519_PARAMS) || params.includes("edwards25519");
    const algorithm = element(0x30, isEdwards ? ED25519_PARAMS : Buffer.concat([EC_PUBLIC_KEY, params]));
    const spki = element(0x30, Buffer.concat([algorithm, element(0x03, Buffer.concat([Buffer.alloc(1), point]))]));
    return createPublicKey({ key: spki, format: "der", type: "spki" }).export({ format: "der", type: "spki" });
  } catch (error) {
    const detail = "the token's public key does not read as one";
    throw new ProviderError({ failure: "INTERNAL", detail }, error);
  }
}

/** CKA_EC_POINT is an OCTET STRING; some tokens leave the wrapping away. */
function pointIn(value: Buffer): Buffer {
  const isLong = value[1] === 0x81;
  const start = isLong ? 3 : 2;
  const length = isLong ? value[2] : value[1];
  return value[0] === 0x04 && length === value.length - start ? value.subarray(start) : value;
}

function element(tag: number, content: Buffer): Buffer {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
