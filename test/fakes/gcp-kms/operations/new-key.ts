import { protos } from "@google-cloud/kms";
import { Eventual } from "../../aws-kms/eventual.ts";
import { type Algorithm, ALGORITHMS, isAlgorithm, type Purpose, rowOf } from "../algorithms.ts";
import { invalidArgument } from "../failure.ts";
import { nameIn } from "../methods.ts";
import { type CryptoKey, DAY_MS, type ProtectionLevel } from "../state.ts";

const { v1 } = protos.google.cloud.kms;
type CryptoKeyFields = protos.google.cloud.kms.v1.ICryptoKey;

/** A key as CreateCryptoKey describes it, without versions. */
export const parseNewKey = (fields: CryptoKeyFields, { name, nowMs }: { name: string; nowMs: number }): CryptoKey => {
  const purpose = parsePurpose(fields.purpose);
  const protectionLevel = parseLevel(fields.versionTemplate?.protectionLevel);
  const algorithm = parseAlgorithm(fields.versionTemplate?.algorithm, { purpose, protectionLevel });
  return {
    name,
    purpose,
    createdMs: nowMs,
    protectionLevel,
    importOnly: fields.importOnly ?? false,
    destroyScheduledMs: parseDestroyDelay(fields),
    versions: [],
    primary: new Eventual<string | undefined>(undefined),
    algorithm,
    labels: parseLabels(fields.labels),
    ...parseRotation(fields, purpose),
  };
};

const parsePurpose = (value: unknown): Purpose => {
  const name = nameIn(v1.CryptoKey.CryptoKeyPurpose, value);
  if (Object.values(ALGORITHMS).some(({ purpose }) => purpose === name)) return name as Purpose;
  throw invalidArgument(`CryptoKey.purpose ${name} is not supported.`);
};

/** SOFTWARE unless said otherwise: resources.proto. */
export const parseLevel = (value: unknown): ProtectionLevel => {
  const name = nameIn(v1.ProtectionLevel, value);
  if (name === "PROTECTION_LEVEL_UNSPECIFIED" || name === "SOFTWARE") return "SOFTWARE";
  if (name === "HSM") return "HSM";
  throw invalidArgument(`Protection level ${name} is not supported.`);
};

/** The algorithm of a template or an import. GOOGLE_SYMMETRIC_ENCRYPTION is implied for ENCRYPT_DECRYPT. */
export const parseAlgorithm = (value: unknown, key: Pick<CryptoKey, "purpose" | "protectionLevel">): Algorithm => {
  const name = nameIn(v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm, value);
  const implied = name.endsWith("_UNSPECIFIED") && key.purpose === "ENCRYPT_DECRYPT";
  const algorithm = implied ? "GOOGLE_SYMMETRIC_ENCRYPTION" : name;
  if (!isAlgorithm(algorithm) || rowOf(algorithm).purpose !== key.purpose) {
    throw invalidArgument(`Algorithm ${algorithm} is not valid for purpose ${key.purpose}.`);
  }
  if (rowOf(algorithm).hsmOnly === true && key.protectionLevel !== "HSM") {
    throw invalidArgument(`Algorithm ${algorithm} is not valid for protection level ${key.protectionLevel}.`);
  }
  return algorithm;
};

const parseDestroyDelay = ({ destroyScheduledDuration }: CryptoKeyFields): number => {
  if (destroyScheduledDuration === null || destroyScheduledDuration === undefined) return 30 * DAY_MS;
  const ms = Number(String(destroyScheduledDuration.seconds ?? 0)) * 1000;
  if (ms < DAY_MS || ms > 120 * DAY_MS) {
    throw invalidArgument("destroy_scheduled_duration must be between 24 hours and 120 days.");
  }
  return ms;
};

/** Labels as the guide on labelling keys allows them. */
export const parseLabels = (labels: CryptoKeyFields["labels"]): Readonly<Record<string, string>> => {
  const entries = Object.entries(labels ?? {});
  const isValid = ([key, value]: readonly [string, string]): boolean =>
    /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) && /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value);
  if (entries.length > 64) throw invalidArgument("A resource can have at most 64 labels.");
  if (!entries.every(isValid)) throw invalidArgument("Invalid label.");
  return Object.fromEntries(entries);
};

type Rotation = Pick<CryptoKey, "rotationMs" | "nextRotationMs">;

/** `rotation_period` is 24 to 876,000 hours and wants `next_rotation_time`; ENCRYPT_DECRYPT alone rotates. */
export const parseRotation = ({ rotationPeriod, nextRotationTime }: CryptoKeyFields, purpose: Purpose): Rotation => {
  const seconds = rotationPeriod?.seconds;
  const rotationMs = seconds === null || seconds === undefined ? undefined : Number(String(seconds)) * 1000;
  const next = nextRotationTime?.seconds;
  const nextRotationMs = next === null || next === undefined ? undefined : Number(String(next)) * 1000;
  if (rotationMs === undefined && nextRotationMs === undefined) return { rotationMs, nextRotationMs };
  if (purpose !== "ENCRYPT_DECRYPT") throw invalidArgument(`Keys with purpose ${purpose} do not rotate by themselves.`);
  if (rotationMs !== undefined && (rotationMs < DAY_MS || rotationMs > 876_000 * 3_600_000)) {
    throw invalidArgument("rotation_period must be between 24 hours and 876000 hours.");
  }
  if (rotationMs !== undefined && nextRotationMs === undefined) {
    throw invalidArgument("next_rotation_time must be set if rotation_period is.");
  }
  return { rotationMs, nextRotationMs };
};
