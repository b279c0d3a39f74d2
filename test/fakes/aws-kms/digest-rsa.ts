import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";

/*
 * RSA signatures over a digest that the caller made, which node:crypto does not offer. Only for a fake: nothing here is
 * constant in time.
 */

/** RSASSA-PKCS1-v1_5 over a digest: RFC 8017 § 8.2.1. */
export const signPkcs1Digest = (key: KeyObject, digest: Buffer): Buffer =>
  privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(digest));

export const verifyPkcs1Digest = (key: KeyObject, digest: Buffer, signature: Buffer): boolean => {
  try {
    const info = publicDecrypt({ key: createPublicKey(key), padding: constants.RSA_PKCS1_PADDING }, signature);
    return info.equals(digestInfo(digest));
  } catch {
    return false;
  }
};

/** RSASSA-PSS over a digest with a salt as long: RFC 8017 § 8.1.1, EMSA-PSS-ENCODE § 9.1.1. */
export const signPssDigest = (key: KeyObject, digest: Buffer): Buffer => {
  const size = modulusBytes(key);
  const salt = randomBytes(digest.length);
  const hash = saltedHash(digest, salt);
  const block = Buffer.concat([Buffer.alloc(size - 2 * digest.length - 2), Buffer.from([1]), salt]);
  const masked = xor(block, mask(hash, block.length));
  masked[0] = (masked[0] ?? 0) & 0x7f; // emBits is one less than the modulus has
  return privateDecrypt(
    { key, padding: constants.RSA_NO_PADDING },
    Buffer.concat([masked, hash, Buffer.from([TRAILER])]),
  );
};

/** RSASSA-PSS-VERIFY over a digest: RFC 8017 § 8.1.2, EMSA-PSS-VERIFY § 9.1.2. */
export const verifyPssDigest = (key: KeyObject, digest: Buffer, signature: Buffer): boolean => {
  const size = modulusBytes(key);
  const encoded = rawPublic(key, signature);
  if (encoded === undefined) return false;
  const maskedLength = size - digest.length - 1;
  const hash = encoded.subarray(maskedLength, size - 1);
  const block = xor(encoded.subarray(0, maskedLength), mask(hash, maskedLength));
  block[0] = (block[0] ?? 0) & 0x7f;
  const padding = Buffer.concat([Buffer.alloc(maskedLength - digest.length - 1), Buffer.from([1])]);
  const wellFormed = ((encoded[0] ?? 0) & 0x80) === 0 && encoded[size - 1] === TRAILER;
  const padded = block.subarray(0, padding.length).equals(padding);
  return wellFormed && padded && saltedHash(digest, block.subarray(padding.length)).equals(hash);
};

const TRAILER = 0xbc;

/** The DER of DigestInfo before the digest: RFC 8017 § 9.2, note 1. By the digest's length. */
const DIGEST_INFO: Readonly<Record<number, string>> = {
  32: "3031300d060960864801650304020105000420",
  48: "3041300d060960864801650304020205000430",
  64: "3051300d060960864801650304020305000440",
};

const digestInfo = (digest: Buffer): Buffer =>
  Buffer.concat([Buffer.from(DIGEST_INFO[digest.length] ?? "", "hex"), digest]);

const rawPublic = (key: KeyObject, signature: Buffer): Buffer | undefined => {
  try {
    return publicEncrypt({ key: createPublicKey(key), padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    return undefined;
  }
};

export const modulusBytes = (key: KeyObject): number => (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;

const saltedHash = (digest: Buffer, salt: Buffer): Buffer =>
  createHash(nameOf(digest.length)).update(Buffer.alloc(8)).update(digest).update(salt).digest();

/** MGF1 with the digest's hash: RFC 8017 appendix B.2.1. */
const mask = (seed: Buffer, length: number): Buffer => {
  const blocks = Array.from({ length: Math.ceil(length / seed.length) }, (_, counter) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(counter);
    return createHash(nameOf(seed.length)).update(seed).update(bytes).digest();
  });
  return Buffer.concat(blocks).subarray(0, length);
};

const nameOf = (length: number): string => `sha${length * 8}`;
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
