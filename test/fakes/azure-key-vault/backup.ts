import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createSecretKey,
  randomBytes,
} from "node:crypto";
import { Eventual } from "../aws-kms/eventual.ts";
import { badParameter } from "./failure.ts";
import { isRecord } from "./input.ts";
import type { KeyVersion, Settings, VaultKey } from "./state.ts";

/** All fakes are of one subscription and geography, so that a backup of one restores into another. */
const SEAL = createHash("sha256").update("the one geography of the fake").digest();

type Kept = Omit<KeyVersion, "material" | "settings" | "exists"> & {
  readonly secret: boolean;
  readonly bytes: string;
  readonly settings: Settings;
};

export const sealBackup = (key: VaultKey): Buffer => {
  const versions = key.versions.map(({ material, settings, version, kty, createdMs, updatedMs }): Kept => {
    const secret = material.type === "secret";
    const bytes = secret ? material.export() : material.export({ format: "der", type: "pkcs8" });
    const rest = { version, kty, createdMs, updatedMs };
    return { ...rest, secret, bytes: bytes.toString("base64url"), settings: settings.seen(Number.POSITIVE_INFINITY) };
  });
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", SEAL, iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify({ name: key.name, versions })), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
};

export const openBackup = (blob: Buffer): VaultKey => {
  const parsed = parse(blob);
  if (!isRecord(parsed)) throw badParameter("Backup blob is corrupted or not supported.");
  const { name, versions } = parsed as { readonly name: string; readonly versions: readonly Kept[] };
  return {
    name,
    deletion: undefined,
    rotationPolicy: undefined,
    versions: versions.map(({ secret, bytes, settings, ...rest }) => {
      const raw = Buffer.from(bytes, "base64url");
      const material = secret ? createSecretKey(raw) : createPrivateKey({ key: raw, format: "der", type: "pkcs8" });
      return { ...rest, material, settings: new Eventual(settings), exists: new Eventual(true) };
    }),
  };
};

const parse = (blob: Buffer): unknown => {
  try {
    const cipher = createDecipheriv("aes-256-gcm", SEAL, blob.subarray(0, 12)).setAuthTag(blob.subarray(12, 28));
    return JSON.parse(Buffer.concat([cipher.update(blob.subarray(28)), cipher.final()]).toString("utf8"));
  } catch {
    return undefined;
  }
};
