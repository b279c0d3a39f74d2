import { ciphertextInvalid } from "#core/errors.ts";
import { uuidBytes, type Uuid } from "#core/ids.ts";
import { HEADER_BYTES, writeHeader } from "./header.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled, uint32 } from "./info.ts";
import { KEY_BYTES } from "./key-bytes.ts";
import { unwrapKey, wrapKey } from "./key-wrap.ts";

export type WrappingVersion = {
  /** 32 bytes. */
  readonly versionKey: Uint8Array;
  readonly keyUuid: Uuid;
  readonly keyVersion: number;
};

/** Wraps key material, 1 byte or more, under a version of a portable key: bare AES-256-KWP (RFC 5649), deterministic. */
export function wrapMaterial(version: WrappingVersion, material: Uint8Array): Buffer {
  const kek = materialKey(version);
  const wrapped = wrapKey("kwp", { kek, key: material });
  kek.fill(0);
  return wrapped;
}

/**
 * Opens what {@link wrapMaterial} made. The material is an unpooled buffer that the caller owns and zeroes.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`
 */
export function unwrapMaterial(version: WrappingVersion, wrapped: Uint8Array): Buffer {
  const kek = materialKey(version);
  const material = unwrapKey("kwp", { kek, wrapped });
  kek.fill(0);
  if (material === undefined) throw ciphertextInvalid();
  return material;
}

/** Suite 81: the header, and the wrapped material after it. */
export function wrappedFrame({ keyUuid, keyVersion }: Omit<WrappingVersion, "versionKey">, wrapped: Buffer): Buffer {
  return Buffer.concat([writeHeader({ suite: "wrapped", keyUuid, keyVersion }), wrapped]);
}

/** What stands after the header of a frame of suite 81; a view. */
export function wrappedBody(frame: Buffer): Buffer {
  return frame.subarray(HEADER_BYTES);
}

function materialKey({ versionKey, keyUuid, keyVersion }: WrappingVersion): Buffer {
  const info = labelled("claviger/1 wrap", uuidBytes(keyUuid), uint32(keyVersion));
  return hkdfSha512({ key: versionKey, info, length: KEY_BYTES });
}
