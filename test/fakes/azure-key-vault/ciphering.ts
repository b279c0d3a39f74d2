import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { badParameter } from "./failure.ts";
import { type Body, bytesOf, optionalBytes, textOf } from "./input.ts";

export type Sealed = { readonly value: Buffer; readonly iv?: Buffer; readonly tag?: Buffer; readonly aad?: Buffer };

const OAEP: Readonly<Record<string, string>> = { "RSA-OAEP": "sha1", "RSA-OAEP-256": "sha256" };
const KW_IV = Buffer.alloc(8, 0xa6);
const KWP_IV = Buffer.from("a65959a6", "hex");

/** By encrypt and by wrapkey. Anything that does not fit is BadParameter. */
export const encrypt = (key: KeyObject, body: Body): Sealed => guarded(() => seal(key, body));

/** By decrypt and by unwrapkey. A ciphertext that does not open is BadParameter, whatever the cause. */
export const decrypt = (key: KeyObject, body: Body): Buffer => guarded(() => open(key, body));

const guarded = <T>(action: () => T): T => {
  try {
    return action();
  } catch {
    throw badParameter();
  }
};

const seal = (key: KeyObject, body: Body): Sealed => {
  const alg = textOf(body, "alg");
  const value = bytesOf(body, "value");
  if (key.type !== "secret") return { value: publicEncrypt(rsa(createPublicKey(key), alg), value) };
  const cipher = symmetric(key, alg);
  if (cipher.mode === "gcm") {
    const iv = optionalBytes(body, "iv") ?? randomBytes(12);
    const aad = optionalBytes(body, "aad");
    const gcm = createCipheriv(cipher.name, key, iv).setAAD(aad ?? Buffer.alloc(0));
    const sealed = Buffer.concat([gcm.update(value), gcm.final()]);
    return { value: sealed, iv, tag: gcm.getAuthTag(), ...(aad === undefined ? {} : { aad }) };
  }
  const iv = cipher.mode === "cbc" ? (optionalBytes(body, "iv") ?? randomBytes(16)) : cipher.iv;
  const other = createCipheriv(cipher.name, key, iv).setAutoPadding(cipher.padded);
  const sealed = Buffer.concat([other.update(value), other.final()]);
  return cipher.mode === "cbc" ? { value: sealed, iv } : { value: sealed };
};

const open = (key: KeyObject, body: Body): Buffer => {
  const alg = textOf(body, "alg");
  const value = bytesOf(body, "value");
  if (key.type !== "secret") return privateDecrypt(rsa(key, alg), value);
  const cipher = symmetric(key, alg);
  if (cipher.mode === "gcm") {
    const gcm = createDecipheriv(cipher.name, key, bytesOf(body, "iv"), { authTagLength: 16 });
    gcm.setAAD(optionalBytes(body, "aad") ?? Buffer.alloc(0)).setAuthTag(bytesOf(body, "tag"));
    return Buffer.concat([gcm.update(value), gcm.final()]);
  }
  const iv = cipher.mode === "cbc" ? bytesOf(body, "iv") : cipher.iv;
  const other = createDecipheriv(cipher.name, key, iv).setAutoPadding(cipher.padded);
  return Buffer.concat([other.update(value), other.final()]);
};

const rsa = (
  key: KeyObject,
  alg: string,
): { readonly key: KeyObject; readonly padding: number; readonly oaepHash: string } => {
  const oaepHash = OAEP[alg];
  if (oaepHash === undefined || key.asymmetricKeyType !== "rsa") throw badParameter();
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
};

type Cipher =
  | { readonly mode: "gcm"; readonly name: "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" }
  | { readonly mode: "cbc"; readonly name: string; readonly padded: boolean }
  | { readonly mode: "wrap"; readonly name: string; readonly iv: Buffer; readonly padded: boolean };

const symmetric = (key: KeyObject, alg: string): Cipher => {
  const bits = (key.symmetricKeySize ?? 0) * 8;
  if (alg === "CKM_AES_KEY_WRAP" || alg === `A${bits}KW`) {
    return { mode: "wrap", name: `id-aes${bits}-wrap`, iv: KW_IV, padded: true };
  }
  if (alg === "CKM_AES_KEY_WRAP_PAD") return { mode: "wrap", name: `id-aes${bits}-wrap-pad`, iv: KWP_IV, padded: true };
  if (alg === `A${bits}GCM`) return { mode: "gcm", name: `aes-${bits}-gcm` as "aes-256-gcm" };
  if (alg === `A${bits}CBC`) return { mode: "cbc", name: `aes-${bits}-cbc`, padded: false };
  if (alg === `A${bits}CBCPAD`) return { mode: "cbc", name: `aes-${bits}-cbc`, padded: true };
  throw badParameter();
};

/** RFC 5649 out of it, with the key that RSA-OAEP with SHA-1 wrapped before it: the ciphertext of a BYOK blob. */
export const openTransferred = (exchangeKey: KeyObject, ciphertext: Buffer): Buffer =>
  guarded(() => {
    const size = (exchangeKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ephemeral = privateDecrypt({ key: exchangeKey, padding, oaepHash: "sha1" }, ciphertext.subarray(0, size));
    const unwrap = createDecipheriv("id-aes256-wrap-pad", ephemeral, KWP_IV);
    return Buffer.concat([unwrap.update(ciphertext.subarray(size)), unwrap.final()]);
  });
