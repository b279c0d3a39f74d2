import { createPublicKey, randomBytes } from "node:crypto";
import { AwsFailure, unsupported, validation } from "../failure.ts";
import { materialFrom, unwrapMaterial, WRAPPING_ALGORITHMS } from "../import-material.ts";
import { type Input, required } from "../input.ts";
import type { Imported, Material } from "../material.ts";
import { keyToManage, refuseStates } from "../resolve.ts";
import { changeLife, currentMaterial, DAY_MS, type ImportOffer, type Key, keyState, type KmsState } from "../state.ts";
import { chooseMaterial } from "../choose-material.ts";
import { base64, type Operations, seconds } from "./operation.ts";

const TOKEN_LIFE_MS = DAY_MS;
const MAX_VALID_MS = 365 * DAY_MS;

export const importOperations: Operations = {
  GetParametersForImport: async (kms, input) => {
    const algorithm = required(input.choice("WrappingAlgorithm", WRAPPING_ALGORITHMS), "WrappingAlgorithm");
    const specs = ["RSA_2048", "RSA_3072", "RSA_4096"] as const;
    const spec = required(input.choice("WrappingKeySpec", specs), "WrappingKeySpec");
    const key = importableKey(kms, input, "kms:GetParametersForImport");
    if (algorithm === "RSAES_PKCS1_V1_5") throw unsupported("RSAES_PKCS1_V1_5 is not supported.");
    const unwrapWith = await kms.wrappingKey(spec);
    const token = randomBytes(256);
    const offer: ImportOffer = { keyId: key.id, algorithm, expiresMs: kms.now() + TOKEN_LIFE_MS, unwrapWith };
    kms.imports.set(token.toString("base64"), offer);
    return {
      KeyId: key.arn,
      ImportToken: base64(token),
      PublicKey: base64(createPublicKey(unwrapWith).export({ type: "spki", format: "der" })),
      ParametersValidTo: seconds(offer.expiresMs),
    };
  },

  ImportKeyMaterial: async (kms, input) => {
    const token = required(input.bytes("ImportToken", { min: 1, max: 6144 }), "ImportToken");
    const wrapped = required(input.bytes("EncryptedKeyMaterial", { min: 1, max: 6144 }), "EncryptedKeyMaterial");
    const expiresMs = readExpiry(kms, input);
    const key = importableKey(kms, input, "kms:ImportKeyMaterial");
    const bytes = unwrapMaterial(wrapped, offerOf(kms, key, token));
    const { id, key: secret, fingerprint } = materialFrom(key, bytes);
    const imported: Imported = {
      fingerprint,
      description: input.text("KeyMaterialDescription", { max: 256 }),
      expiresMs,
    };
    const wasPending = keyState(key, kms.now()) === "PendingImport";
    const material = chooseMaterial(key, { id, fingerprint, input });
    Object.assign(material, { imported, key: async () => await Promise.resolve(secret) } satisfies Partial<Material>);
    if (wasPending) changeLife(kms, key, "Enabled");
    return { KeyId: key.arn, KeyMaterialId: symmetricOnly(key, material.id) };
  },

  DeleteImportedKeyMaterial: (kms, input) => {
    const key = keyToManage(kms, input, "kms:DeleteImportedKeyMaterial");
    requireExternal(key);
    const named = input.text("KeyMaterialId", { min: 64, max: 64 });
    const material = named === undefined ? currentMaterial(key) : key.materials.find(({ id }) => id === named);
    if (named !== undefined && material === undefined) throw validation(`No key material ${named} of ${key.arn}.`);
    if (material?.state === "PENDING_ROTATION") key.materials.splice(key.materials.indexOf(material), 1);
    else if (material !== undefined) material.key = undefined;
    return { KeyId: key.arn, KeyMaterialId: material && symmetricOnly(key, material.id) };
  },
};

const symmetricOnly = (key: Key, id: string): string | undefined => (key.spec === "SYMMETRIC_DEFAULT" ? id : undefined);

const importableKey = (kms: KmsState, input: Input, action: string): Key => {
  const key = keyToManage(kms, input, action);
  requireExternal(key);
  refuseStates(kms, key, ["PendingDeletion"]);
  return key;
};

const requireExternal = (key: Key): void => {
  if (key.origin !== "EXTERNAL")
    throw unsupported(`${key.arn} origin is ${key.origin} which is not valid for this operation.`);
};

/** The parameters that a token stands for: they serve one key for a day, and as often as is wanted. */
const offerOf = (kms: KmsState, key: Key, token: Buffer): ImportOffer => {
  const offer = kms.imports.get(token.toString("base64"));
  if (offer?.keyId !== key.id) throw new AwsFailure("InvalidImportTokenException");
  if (offer.expiresMs <= kms.now()) throw new AwsFailure("ExpiredImportTokenException");
  return offer;
};

const readExpiry = (kms: KmsState, input: Input): number | undefined => {
  const models = ["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"] as const;
  const model = input.choice("ExpirationModel", models) ?? "KEY_MATERIAL_EXPIRES";
  const validTo = input.time("ValidTo");
  if (model === "KEY_MATERIAL_DOES_NOT_EXPIRE") {
    if (validTo === undefined) return undefined;
    throw validation("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE");
  }
  if (validTo === undefined) {
    throw validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  }
  if (validTo <= kms.now() || validTo > kms.now() + MAX_VALID_MS) {
    throw validation("The validTo date must be in the future, and within 365 days");
  }
  return validTo;
};
