import { createPublicKey } from "node:crypto";
import { recoveryLevel, type KeyVersion, type Settings, type VaultKey, type VaultState } from "./state.ts";

type Answer = Readonly<Record<string, unknown>>;

export const seconds = (ms: number): number => Math.floor(ms / 1000);

export const kidOf = (vault: VaultState, name: string, version?: string): string =>
  `${vault.url()}/keys/${name}${version === undefined ? "" : `/${version}`}`;

export const attributesOf = (vault: VaultState, version: KeyVersion, settings: Settings): Answer => ({
  ...settings.attributes,
  created: seconds(version.createdMs),
  updated: seconds(version.updatedMs),
  recoveryLevel: recoveryLevel(vault),
  recoverableDays: vault.retentionDays,
});

/** A KeyBundle: the public half, never more. */
export const bundleOf = (vault: VaultState, name: string, version: KeyVersion, written?: Settings): Answer => {
  const settings = written ?? version.settings.seen(vault.now());
  return {
    key: {
      kid: kidOf(vault, name, version.version),
      kty: version.kty,
      key_ops: settings.keyOps,
      ...publicJwk(version),
    },
    attributes: attributesOf(vault, version, settings),
    ...(settings.tags === undefined ? {} : { tags: settings.tags }),
  };
};

const publicJwk = ({ material }: KeyVersion): Answer => {
  if (material.type === "secret") return {};
  const { n, e, crv, x, y } = createPublicKey(material).export({ format: "jwk" });
  return n === undefined ? { crv: crv === "secp256k1" ? "P-256K" : crv, x, y } : { n, e };
};

/** A KeyItem of a list: neither kty nor key_ops. `versioned` for the list of versions. */
export const itemOf = (
  vault: VaultState,
  { name }: VaultKey,
  { version, versioned }: { readonly version: KeyVersion; readonly versioned: boolean },
): Answer => {
  const settings = version.settings.seen(vault.now());
  return {
    kid: kidOf(vault, name, versioned ? version.version : undefined),
    attributes: attributesOf(vault, version, settings),
    ...(settings.tags === undefined ? {} : { tags: settings.tags }),
  };
};

/** What a deleted key says on top of its bundle or item. */
export const deletionOf = (vault: VaultState, { name, deletion }: VaultKey): Answer =>
  deletion === undefined
    ? {}
    : {
        recoveryId: `${vault.url()}/deletedkeys/${name}`,
        deletedDate: seconds(deletion.deletedMs),
        scheduledPurgeDate: seconds(deletion.purgeMs),
      };
