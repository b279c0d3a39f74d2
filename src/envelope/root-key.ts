import { KmsError } from "#core/errors.ts";
import { uuidBytes, type Uuid } from "#core/ids.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled, uint32 } from "./info.ts";
import { KEY_BYTES } from "./key-bytes.ts";
import { unwrapKey, wrapKey } from "./key-wrap.ts";

/** The one label without a zero byte: nothing follows it. */
const ROW_SEAL = Buffer.from("claviger/1 row seal", "latin1");

/** K_row, the key of row seals, feed links and journal lines. An unpooled buffer that the caller owns and zeroes. */
export function deriveRowKey(rootKey: Uint8Array): Buffer {
  return hkdfSha512({ key: rootKey, info: ROW_SEAL, length: KEY_BYTES });
}

/** The pin of a root version, 32 bytes, public: what an opened root key must reproduce before any row is believed. */
export function rootCommitment(root: {
  readonly rootKey: Uint8Array;
  readonly keyUuid: Uuid;
  readonly version: number;
}): Buffer {
  const info = labelled("claviger/1 root commitment", uuidBytes(root.keyUuid), uint32(root.version));
  return hkdfSha512({ key: root.rootKey, info, length: 32 });
}

type SecretPlace = {
  readonly rootKey: Uint8Array;
  /** The row's id, such as `audit-signing-key/1`: the secret opens under no other. */
  readonly id: string;
};

/** Seals one of the gateway's own secrets, 1 byte or more (audit signing key, local authority's key): AES-256-KWP (RFC 5649). */
export function sealSecret({ secret, ...place }: SecretPlace & { readonly secret: Uint8Array }): Buffer {
  const kek = secretKey(place);
  const sealed = wrapKey("kwp", { kek, key: secret });
  kek.fill(0);
  return sealed;
}

/**
 * Opens a secret. The result is an unpooled buffer that the caller owns and zeroes.
 *
 * @throws {KmsError} `INTEGRITY_FAILURE` for changed bytes, another id or another root key
 */
export function openSecret({ sealed, ...place }: SecretPlace & { readonly sealed: Uint8Array }): Buffer {
  const kek = secretKey(place);
  const secret = unwrapKey("kwp", { kek, wrapped: sealed });
  kek.fill(0);
  if (secret === undefined) {
    throw new KmsError("INTEGRITY_FAILURE", "a secret of the gateway does not open under the root key");
  }
  return secret;
}

function secretKey({ rootKey, id }: SecretPlace): Buffer {
  return hkdfSha512({ key: rootKey, info: labelled("claviger/1 secret", Buffer.from(id, "utf8")), length: KEY_BYTES });
}
