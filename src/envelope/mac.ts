import { createHmac, timingSafeEqual } from "node:crypto";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";
import { uuidBytes, type Uuid } from "#core/ids.ts";
import { hkdfSha512 } from "./hkdf.ts";
import { labelled, uint32 } from "./info.ts";

const HASH_BYTES: Readonly<Record<string, number>> = { sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

type MacInput = {
  /** 32 bytes. */
  readonly versionKey: Uint8Array;
  readonly keyUuid: Uuid;
  readonly keyVersion: number;
  readonly algorithm: AlgorithmName;
  readonly message: Uint8Array;
};

/** The MAC of a message under a version of a portable key: HMAC (RFC 2104), whole, under a key of the algorithm's own (keys.md, portable MAC). */
export function portableMac({ versionKey, keyUuid, keyVersion, algorithm, message }: MacInput): Buffer {
  const { hash, id } = algorithmTraits(algorithm);
  const length = HASH_BYTES[hash ?? ""];
  if (hash === undefined || id === undefined || length === undefined)
    throw new KmsError("INTERNAL", `${algorithm} is no algorithm of portable MACs`);
  const number = Buffer.alloc(2);
  number.writeUInt16BE(id);
  const info = labelled("claviger/1 mac", uuidBytes(keyUuid), uint32(keyVersion), number);
  const key = hkdfSha512({ key: versionKey, info, length });
  const mac = createHmac(hash, key).update(message).digest();
  key.fill(0);
  return mac;
}

/** Whether a MAC is the one of the message; in constant time for MACs of the right length. */
export function verifyPortableMac({ mac, ...input }: MacInput & { readonly mac: Uint8Array }): boolean {
  const expected = portableMac(input);
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}
