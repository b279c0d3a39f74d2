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
  for (const path of paths) {
    if (path === "labels") key.labels = parseLabels(fields.labels);
    else if (path === "version_template.algorithm" || path === "version_template") {
      key.algorithm = parseAlgorithm(fields.versionTemplate?.algorithm, key);
    } else if (path === "rotation_period" || path === "next_rotation_time") updateRotation(key, fields);
    else throw invalidArgument(`Field ${path} cannot be updated.`);
  }
  return renderKey(key);
};

const updateRotation = (key: CryptoKey, fields: Parameters<typeof parseRotation>[0]): void => {
  Object.assign(key, parseRotation(fields, key.purpose));
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
