import { alreadyExists, invalidArgument, notFound } from "../failure.ts";
import type { Operation, Operations } from "../methods.ts";
import { pageOf } from "../paging.ts";
import { renderKey } from "../render.ts";
import { getKey, getKeyRing, parseId, requirePurpose } from "../resolve.ts";
import { addGenerated, changePrimary, type CryptoKey, findVersion } from "../state.ts";
import { parseAlgorithm, parseLabels, parseNewKey, parseRotation } from "./new-key.ts";

const create: Operation<"CreateCryptoKey"> = (kms, request) => {
  const ring = getKeyRing(kms, request.parent);
  const name = `${ring.name}/cryptoKeys/${parseId(request.cryptoKeyId, "crypto_key_id")}`;
  const key = parseNewKey(request.cryptoKey ?? {}, { name, nowMs: kms.now() });
  if (key.importOnly && !request.skipInitialVersionCreation) {
    throw invalidArgument("skip_initial_version_creation must be set for a CryptoKey with import_only.");
  }
  if (kms.keys.has(name)) throw alreadyExists("CryptoKey", name);
  kms.keys.set(name, key);
  if (request.skipInitialVersionCreation) return renderKey(key);
  const version = addGenerated(kms, key);
  if (key.purpose === "ENCRYPT_DECRYPT") changePrimary(kms, key, version.id);
  return renderKey(key);
};

const update: Operation<"UpdateCryptoKey"> = (kms, { cryptoKey, updateMask }) => {
  const fields = cryptoKey ?? {};
  const key = getKey(kms, fields.name ?? "");
  const paths = updateMask?.paths ?? [];
  if (paths.length === 0) throw invalidArgument("update_mask must not be empty.");
  for (const path of paths) updateField(key, path, fields);
  return renderKey(key);
};

type Fields = Parameters<typeof parseRotation>[0];

const updateField = (key: CryptoKey, path: string, fields: Fields): void => {
  const rotation = (): ReturnType<typeof parseRotation> => parseRotation(fields, key.purpose);
  switch (path) {
    case "labels":
      key.labels = parseLabels(fields.labels);
      return;
    case "version_template":
    case "version_template.algorithm":
      key.algorithm = parseAlgorithm(fields.versionTemplate?.algorithm, key);
      return;
    case "rotation_period":
      key.rotationMs = rotation().rotationMs;
      return;
    case "next_rotation_time":
      key.nextRotationMs = rotation().nextRotationMs;
      return;
    default:
      throw invalidArgument(`Field ${path} cannot be updated.`);
  }
};

export const cryptoKeyOperations: Pick<
  Operations,
  "ListCryptoKeys" | "GetCryptoKey" | "CreateCryptoKey" | "UpdateCryptoKey" | "UpdateCryptoKeyPrimaryVersion"
> = {
  ListCryptoKeys: (kms, request) => {
    const ring = getKeyRing(kms, request.parent);
    const all = [...kms.keys.values()].filter(({ name }) => name.startsWith(`${ring.name}/`));
    const { items, nextPageToken, totalSize } = pageOf(kms, all, { asked: request, fields: fieldsOf });
    return { cryptoKeys: items.map(renderKey), nextPageToken, totalSize };
  },

  GetCryptoKey: (kms, { name }) => renderKey(getKey(kms, name)),

  CreateCryptoKey: create,

  UpdateCryptoKey: update,

  UpdateCryptoKeyPrimaryVersion: (kms, { name, cryptoKeyVersionId }) => {
    const key = getKey(kms, name);
    requirePurpose(key, ["ENCRYPT_DECRYPT"]);
    const version = findVersion(key, cryptoKeyVersionId);
    if (version === undefined) throw notFound("CryptoKeyVersion", `${name}/cryptoKeyVersions/${cryptoKeyVersionId}`);
    changePrimary(kms, key, version.id);
    return renderKey(key);
  },
};

const fieldsOf = (key: CryptoKey): Readonly<Record<string, string>> => ({
  name: key.name,
  purpose: key.purpose,
  ...Object.fromEntries(Object.entries(key.labels).map(([label, value]) => [`labels.${label}`, value])),
});
