import { KmsError } from "#core/errors.ts";
import { uuidBytes, type Uuid } from "#core/ids.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled, uint32 } from "./info.ts";
import { checkKey, KEY_BYTES } from "./key-bytes.ts";
import { unwrapKey, wrapKey } from "./key-wrap.ts";

/** What a seal belongs to. Its key is derived from all of it: a seal that is moved does not open. */
export type SealPlace = {
  /** 32 bytes. */
  readonly branchKey: Uint8Array;
  readonly namespace: Uuid;
  readonly key: Uuid;
  readonly version: number;
  readonly branch: Uuid;
  readonly branchVersion: number;
};

export const SEAL_BYTES = 40;

/** Seals the 32 bytes of a version key under its branch key: AES-256-KW, 40 bytes, deterministic (keys.md, Seal of a version key). */
export function sealVersionKey({ versionKey, ...place }: SealPlace & { readonly versionKey: Uint8Array }): Buffer {
  checkKey(versionKey);
  const kek = sealKey(place);
  const seal = wrapKey("kw", { kek, key: versionKey });
  kek.fill(0);
  return seal;
}

/**
 * Opens a seal. The version key is an unpooled buffer that the caller owns and zeroes.
 *
 * @throws {KmsError} `INTEGRITY_FAILURE` for a seal that was changed, or made for another key, version, branch or namespace
 */
export function openVersionKey({ seal, ...place }: SealPlace & { readonly seal: Uint8Array }): Buffer {
  const kek = sealKey(place);
  const versionKey = seal.length === SEAL_BYTES ? unwrapKey("kw", { kek, wrapped: seal }) : undefined;
  kek.fill(0);
  if (versionKey === undefined) {
    throw new KmsError("INTEGRITY_FAILURE", "the seal of a key version does not open under its branch key");
  }
  return versionKey;
}

function sealKey({ branchKey, namespace, key, version, branch, branchVersion }: SealPlace): Buffer {
  const info = labelled(
    "claviger/1 seal",
    uuidBytes(namespace),
    uuidBytes(key),
    uint32(version),
    uuidBytes(branch),
    uint32(branchVersion),
  );
  return hkdfSha512({ key: branchKey, info, length: KEY_BYTES });
}
