import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { type BlobOrigin, type Context, openBlob, readOrigin, sealBlob } from "./blob.ts";
import { AwsFailure, invalidCiphertext, invalidState, notFound, validation } from "./failure.ts";
import { keyToUse, requireEnabled, requireSameKey, requireUsage } from "./resolve.ts";
import { currentMaterial, type Key, type KmsState } from "./state.ts";

export type Sealing = { readonly algorithm: string; readonly context: Context };
export type Sealed = { readonly blob: Buffer; readonly materialId: string | undefined };

/** Encrypts under a key that was found usable: a blob for SYMMETRIC_DEFAULT, bare RSAES-OAEP otherwise. */
export const seal = async (key: Key, plaintext: Buffer, { algorithm, context }: Sealing): Promise<Sealed> => {
  const material = currentMaterial(key);
  if (material?.key === undefined) throw invalidState(`${key.arn} is pending import.`);
  const secret = await material.key();
  if (algorithm === "SYMMETRIC_DEFAULT") {
    const origin = { keyId: key.id, materialId: material.id };
    return { blob: sealBlob(plaintext, origin, { key: secret, context }), materialId: material.id };
  }
  const blob = publicEncrypt({ key: createPublicKey(secret), ...oaep(algorithm) }, plaintext);
  return { blob, materialId: undefined };
};

/** Refuses what `seal` cannot do for this key, before a dry run ends. */
export const checkSealing = (key: Key, plaintext: Uint8Array, { algorithm, context }: Sealing): void => {
  if (algorithm === "SYMMETRIC_DEFAULT") return;
  refuseContext(context);
  const max = Number(key.spec.slice("RSA_".length)) / 8 - 2 * HASH_BYTES[hashOf(algorithm)] - 2; // RFC 8017 § 7.1.1
  if (plaintext.length > max) {
    throw validation(`Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${max} bytes.`);
  }
};

export type Opening = Sealing & {
  /** The key that the caller named. */
  readonly keyId: string | undefined;
  readonly operation: string;
  readonly action: string;
};
export type Opened = { readonly key: Key; readonly plaintext: Buffer; readonly materialId: string | undefined };

/** Finds the key of a ciphertext, asks whether it may be used, and decrypts. */
export const open = async (kms: KmsState, blob: Buffer, opening: Opening): Promise<Opened> =>
  opening.algorithm === "SYMMETRIC_DEFAULT"
    ? await openSymmetric(kms, blob, opening)
    : await openAsymmetric(kms, blob, opening);

const openSymmetric = async (kms: KmsState, blob: Buffer, opening: Opening): Promise<Opened> => {
  const named = opening.keyId === undefined ? undefined : keyToUse(kms, opening.keyId, opening.action);
  const origin = readOrigin(blob);
  if (origin === undefined) {
    if (named !== undefined) requireUsage(named, { ...opening, usage: "ENCRYPT_DECRYPT" });
    throw invalidCiphertext();
  }
  if (named !== undefined) requireSameKey(named, origin.keyId);
  const key = named ?? keyOfBlob(kms, origin, opening.action);
  requireEnabled(kms, key);
  const material = key.materials.find(({ id }) => id === origin.materialId);
  if (material?.key === undefined) throw invalidCiphertext();
  const use = { key: await material.key(), context: opening.context };
  return { key, plaintext: openBlob(blob, use), materialId: material.id };
};

const openAsymmetric = async (kms: KmsState, blob: Buffer, opening: Opening): Promise<Opened> => {
  if (opening.keyId === undefined) throw validation("A KeyId is required to decrypt with an asymmetric KMS key.");
  const key = keyToUse(kms, opening.keyId, opening.action);
  requireUsage(key, { ...opening, usage: "ENCRYPT_DECRYPT" });
  refuseContext(opening.context);
  requireEnabled(kms, key);
  const secret = await currentMaterial(key)?.key?.();
  if (secret === undefined) throw invalidState(`${key.arn} is pending import.`);
  return { key, plaintext: openOaep(secret, blob, opening.algorithm), materialId: undefined };
};

/** A key that is not there, or not in this Region, is told as a missing permission when the caller did not name it. */
const keyOfBlob = (kms: KmsState, { keyId }: BlobOrigin, action: string): Key => {
  try {
    return keyToUse(kms, keyId, action);
  } catch (error) {
    if (!(error instanceof AwsFailure) || error.type !== notFound("").type) throw error;
    throw new AwsFailure(
      "AccessDeniedException",
      "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    );
  }
};

const openOaep = (key: KeyObject, blob: Buffer, algorithm: string): Buffer => {
  try {
    return privateDecrypt({ key, ...oaep(algorithm) }, blob);
  } catch {
    throw invalidCiphertext();
  }
};

const refuseContext = (context: Context): void => {
  if (context.size > 0) throw validation("An encryption context is not supported with asymmetric KMS keys.");
};

export const oaep = (algorithm: string): { readonly padding: number; readonly oaepHash: string } => ({
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: hashOf(algorithm),
});

const hashOf = (algorithm: string): "sha1" | "sha256" => (algorithm.endsWith("SHA_1") ? "sha1" : "sha256");
const HASH_BYTES = { sha1: 20, sha256: 32 } as const;
