import {
  createPrivateKey,
  createSecretKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { promisify } from "node:util";
import { badParameter } from "./failure.ts";
import { type Body, optionalNumber, optionalText, textOf } from "./input.ts";
import type { VaultKind } from "./state.ts";

const generate = promisify(generateKeyPair);

/** By the name of the curve in the API: OpenSSL's. */
const CURVES: Readonly<Record<string, string>> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
  "P-256K": "secp256k1",
};

const KTYS: Readonly<Record<VaultKind, readonly string[]>> = {
  vault: ["RSA", "RSA-HSM", "EC", "EC-HSM"],
  "managed-hsm": ["RSA-HSM", "EC-HSM", "oct-HSM"],
};

/** What a key of a type may do unless key_ops says less. */
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  RSA: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
  EC: ["sign", "verify"],
  oct: ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"],
};

export const familyOf = (kty: string): string => kty.replace("-HSM", "");

export const requireKty = (kind: VaultKind, kty: string): string => {
  if (!KTYS[kind].includes(kty)) throw badParameter(`Key type ${kty} is not supported`);
  return kty;
};

/** New material for `{kty, key_size, crv}`. */
export const generateMaterial = async (body: Body): Promise<KeyObject> => {
  const family = familyOf(textOf(body, "kty"));
  if (family === "oct") return createSecretKey(randomBytes(sizeOf(body, [128, 192, 256], 256) / 8));
  if (family === "RSA") {
    const modulusLength = sizeOf(body, [2048, 3072, 4096], 2048);
    return (await generate("rsa", { modulusLength })).privateKey;
  }
  const namedCurve = CURVES[optionalText(body, "crv") ?? "P-256"];
  if (namedCurve === undefined) throw badParameter("Property crv has invalid value");
  return (await generate("ec", { namedCurve })).privateKey;
};

const sizeOf = (body: Body, allowed: readonly number[], usual: number): number => {
  const size = optionalNumber(body, "key_size") ?? usual;
  if (!allowed.includes(size)) throw badParameter("Property key_size has invalid value");
  return size;
};

/** More of the same: for a rotation. */
export const regenerate = async (material: KeyObject): Promise<KeyObject> => {
  if (material.type === "secret") return createSecretKey(randomBytes(material.symmetricKeySize ?? 32));
  const { namedCurve, modulusLength = 2048 } = material.asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return (await generate("ec", { namedCurve })).privateKey;
  return (await generate("rsa", { modulusLength })).privateKey;
};

/** Material out of a JWK in the clear. */
export const materialFromJwk = (jwk: Body): KeyObject => {
  const family = familyOf(textOf(jwk, "kty"));
  try {
    if (family === "oct") return checked(createSecretKey(Buffer.from(textOf(jwk, "k"), "base64url")));
    const crv = jwk["crv"] === "P-256K" ? "secp256k1" : jwk["crv"];
    return checked(createPrivateKey({ key: { ...jwk, kty: family, crv } as JsonWebKey, format: "jwk" }));
  } catch {
    throw badParameter("Invalid key");
  }
};

/** Refuses sizes and curves that no key may have. */
export const checked = (material: KeyObject): KeyObject => {
  const { namedCurve, modulusLength = 0 } = material.asymmetricKeyDetails ?? {};
  const fits =
    material.type === "secret"
      ? [16, 24, 32].includes(material.symmetricKeySize ?? 0)
      : Object.values(CURVES).includes(namedCurve ?? "") || [2048, 3072, 4096].includes(modulusLength);
  if (!fits) throw badParameter("Invalid key");
  return material;
};

/** `key_ops` as asked, or all that the type can do. `import` stands alone and makes an exchange key (BYOK). */
export const operationsOf = (kty: string, asked: unknown): readonly string[] => {
  const possible = OPERATIONS[familyOf(kty)] ?? [];
  if (asked === undefined || asked === null || (Array.isArray(asked) && asked.length === 0)) return possible;
  if (!Array.isArray(asked)) throw badParameter("Property key_ops has invalid value");
  const names = asked.map(String);
  if (names.includes("import")) {
    if (kty !== "RSA-HSM" || names.length > 1) throw badParameter("import cannot be combined");
    return names;
  }
  if (names.some((name) => !possible.includes(name))) throw badParameter("Property key_ops has invalid value");
  return names;
};
