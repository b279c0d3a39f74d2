import { createPrivateKey, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { openTransferred } from "./ciphering.ts";
import { badParameter } from "./failure.ts";
import { type Body, isRecord, optionalFlag, optionalNumber, optionalText, recordOf, tagsOf, textOf } from "./input.ts";
import { checked, familyOf, generateMaterial, materialFromJwk, operationsOf, requireKty } from "./material.ts";
import type { Operation } from "./operation.ts";
import { bundleOf } from "./render.ts";
import { addVersion, type Attributes, liveVersion, requireFreeName, type Settings, type VaultState } from "./state.ts";

export const newVersionName = (): string => randomBytes(16).toString("hex");

const attributesFrom = (body: Body, former: Attributes): Attributes => {
  const asked = recordOf(body, "attributes");
  const nbf = optionalNumber(asked, "nbf") ?? former.nbf;
  const exp = optionalNumber(asked, "exp") ?? former.exp;
  const exportable = optionalFlag(asked, "exportable") ?? former.exportable;
  if (nbf !== undefined && exp !== undefined && nbf >= exp) {
    throw badParameter("Expiration time must be later than the activation time");
  }
  return {
    enabled: optionalFlag(asked, "enabled") ?? former.enabled,
    ...(nbf === undefined ? {} : { nbf }),
    ...(exp === undefined ? {} : { exp }),
    ...(exportable === undefined ? {} : { exportable }),
  };
};

const settingsFrom = (body: Body, kty: string, keyOps: unknown): Settings => ({
  attributes: attributesFrom(body, { enabled: true }),
  keyOps: operationsOf(kty, keyOps),
  tags: tagsOf(body),
});

const create: Operation = async (vault, { name, body }) => {
  const kty = requireKty(vault.kind, textOf(body, "kty"));
  requireFreeName(vault, name);
  const settings = settingsFrom(body, kty, body["key_ops"]);
  const made = { version: newVersionName(), kty, material: await generateMaterial(body), settings };
  return bundleOf(vault, name, addVersion(vault, name, made), settings);
};

const importKey: Operation = (vault, { name, body }) => {
  const jwk = recordOf(body, "key");
  const asked = textOf(jwk, "kty");
  const hsm = optionalFlag(body, "Hsm") ?? optionalFlag(body, "hsm") ?? vault.kind === "managed-hsm";
  const kty = requireKty(vault.kind, hsm ? `${familyOf(asked)}-HSM` : asked);
  requireFreeName(vault, name);
  const blob = optionalText(jwk, "key_hsm");
  const material = blob === undefined ? materialFromJwk(jwk) : transferred(vault, { blob, kty });
  const settings = settingsFrom(body, kty, jwk["key_ops"]);
  const version = addVersion(vault, name, { version: newVersionName(), kty, material, settings });
  return bundleOf(vault, name, version, settings);
};

/** The material of a BYOK blob, whose exchange key must be of this vault and for import only. */
const transferred = (vault: VaultState, { blob, kty }: { readonly blob: string; readonly kty: string }): KeyObject => {
  const { kid, ciphertext } = parseBlob(blob);
  const [, , name = "", version] = new URL(kid).pathname.split("/");
  const [, exchange] = liveVersion(vault, name, version);
  if (!exchange.settings.seen(vault.now()).keyOps.includes("import")) throw badParameter("Not a key exchange key");
  const bytes = openTransferred(exchange.material, ciphertext);
  try {
    if (familyOf(kty) === "oct") return checked(createSecretKey(bytes));
    const material = createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
    if (material.asymmetricKeyType !== familyOf(kty).toLowerCase()) throw badParameter();
    return checked(material);
  } catch {
    throw badParameter("Invalid key transfer blob");
  }
};

const parseBlob = (blob: string): { readonly kid: string; readonly ciphertext: Buffer } => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(blob, "base64").toString("utf8"));
  } catch {
    parsed = undefined;
  }
  const header = isRecord(parsed) ? parsed["header"] : undefined;
  if (!isRecord(parsed) || !isRecord(header)) throw badParameter("Invalid key transfer blob");
  const known =
    parsed["schema_version"] === "1.0.0" && header["alg"] === "dir" && header["enc"] === "CKM_RSA_AES_KEY_WRAP";
  const kid = header["kid"];
  const ciphertext = parsed["ciphertext"];
  if (!known || typeof kid !== "string" || !URL.canParse(kid) || typeof ciphertext !== "string") {
    throw badParameter("Invalid key transfer blob");
  }
  return { kid, ciphertext: Buffer.from(ciphertext, "base64url") };
};

const get: Operation = (vault, { name, version }) => {
  const [key, found] = liveVersion(vault, name, version);
  return bundleOf(vault, key.name, found);
};

/** What is left out stays; tags and key_ops are replaced as a whole. */
const update: Operation = (vault, { name, version, body }) => {
  const [key, found] = liveVersion(vault, name, version);
  const former = found.settings.seen(Number.POSITIVE_INFINITY);
  const settings: Settings = {
    attributes: attributesFrom(body, former.attributes),
    keyOps: body["key_ops"] === undefined ? former.keyOps : operationsOf(found.kty, body["key_ops"]),
    tags: tagsOf(body) ?? former.tags,
  };
  found.settings.set(settings, { nowMs: vault.now(), delayMs: vault.propagationMs });
  found.updatedMs = vault.now();
  return bundleOf(vault, key.name, found, settings);
};

export const MANAGEMENT: Readonly<Record<string, Operation>> = {
  CreateKey: create,
  ImportKey: importKey,
  GetKey: get,
  UpdateKey: update,
};
