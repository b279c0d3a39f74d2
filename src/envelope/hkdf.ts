import { createSecretKey, hkdfSync } from "node:crypto";
import { checkKey } from "./key-bytes.ts";

type Derivation = {
  readonly key: Uint8Array;
  /** Empty unless given. */
  readonly salt?: Uint8Array;
  readonly info: Uint8Array;
  readonly length: number;
};

const NO_SALT = new Uint8Array(0);

/**
 * HKDF with SHA-512 of a 32-byte key (RFC 5869). The result is an unpooled buffer that the caller owns and zeroes.
 *
 * The key goes in as a KeyObject because Node's path for raw bytes takes twice as long.
 *
 * @throws {KmsError} `INTERNAL` for a key that was dropped
 */
export function hkdfSha512({ key, salt = NO_SALT, info, length }: Derivation): Buffer {
  checkKey(key);
  return Buffer.from(hkdfSync("sha512", createSecretKey(key), salt, info, length));
}
