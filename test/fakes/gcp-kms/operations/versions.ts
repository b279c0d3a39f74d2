import { protos } from "@google-cloud/kms";
import { invalidArgument, precondition } from "../failure.ts";
import { nameIn, type Operation, type Operations } from "../methods.ts";
import { pageOf } from "../paging.ts";
import { renderVersion } from "../render.ts";
import { getKey, getVersion } from "../resolve.ts";
import { addGenerated, changeState, stateOf, type Version, type VersionState } from "../state.ts";

const { CryptoKeyVersionState } = protos.google.cloud.kms.v1.CryptoKeyVersion;

const create: Operation<"CreateCryptoKeyVersion"> = (kms, { parent, cryptoKeyVersion }) => {
  const key = getKey(kms, parent);
  if (key.importOnly) {
    throw precondition(`${key.name} takes imported versions only.`, { type: "IMPORT_ONLY", subject: key.name });
  }
  const asked = nameIn(CryptoKeyVersionState, cryptoKeyVersion?.state);
  if (!["CRYPTO_KEY_VERSION_STATE_UNSPECIFIED", "ENABLED", "DISABLED"].includes(asked)) {
    throw invalidArgument(`A version cannot be created in state ${asked}.`);
  }
  const version = addGenerated(kms, key);
  if (asked === "DISABLED" && version.due !== undefined) version.due = { ...version.due, state: "DISABLED" };
  else if (asked === "DISABLED") version.state.set("DISABLED", { nowMs: kms.now(), delayMs: 0 });
  return renderVersion(version);
};

const update: Operation<"UpdateCryptoKeyVersion"> = (kms, { cryptoKeyVersion, updateMask }) => {
  const { version } = getVersion(kms, cryptoKeyVersion?.name ?? "");
  const paths = updateMask?.paths ?? [];
  if (paths.length !== 1 || paths[0] !== "state") {
    throw invalidArgument(`Fields ${paths.join(", ")} of a CryptoKeyVersion cannot be updated.`);
  }
  const wanted = nameIn(CryptoKeyVersionState, cryptoKeyVersion?.state);
  if (wanted !== "ENABLED" && wanted !== "DISABLED") throw invalidArgument(`A state cannot be set to ${wanted}.`);
  requireState(version, ["ENABLED", "DISABLED"]);
  changeState(kms, version, wanted);
  return renderVersion(version);
};

export const versionOperations: Pick<
  Operations,
  | "ListCryptoKeyVersions"
  | "GetCryptoKeyVersion"
  | "CreateCryptoKeyVersion"
  | "UpdateCryptoKeyVersion"
  | "DestroyCryptoKeyVersion"
  | "RestoreCryptoKeyVersion"
> = {
  ListCryptoKeyVersions: (kms, request) => {
    const key = getKey(kms, request.parent);
    const { items, nextPageToken, totalSize } = pageOf(kms, key.versions, { asked: request, fields: fieldsOf });
    return { cryptoKeyVersions: items.map(renderVersion), nextPageToken, totalSize };
  },

  GetCryptoKeyVersion: (kms, { name }) => renderVersion(getVersion(kms, name).version),

  CreateCryptoKeyVersion: create,

  UpdateCryptoKeyVersion: update,

  DestroyCryptoKeyVersion: (kms, { name }) => {
    const { key, version } = getVersion(kms, name);
    requireState(version, ["ENABLED", "DISABLED"]);
    changeState(kms, version, "DESTROY_SCHEDULED");
    version.destroyMs = kms.now() + key.destroyScheduledMs;
    return renderVersion(version);
  },

  RestoreCryptoKeyVersion: (kms, { name }) => {
    const { version } = getVersion(kms, name);
    requireState(version, ["DESTROY_SCHEDULED"]);
    version.state.set("DISABLED", { nowMs: kms.now(), delayMs: 0 });
    version.destroyMs = undefined;
    return renderVersion(version);
  },
};

const requireState = (version: Version, states: readonly VersionState[]): void => {
  const state = stateOf(version);
  if (states.includes(state)) return;
  const text = `${version.name} has state ${state}, the operation needs ${states.join(" or ")}.`;
  throw precondition(text, { type: `KEY_${state}`, subject: version.name });
};

const fieldsOf = (version: Version): Readonly<Record<string, string>> => ({
  name: version.name,
  state: stateOf(version),
  algorithm: version.algorithm,
});
