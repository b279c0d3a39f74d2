import { constants, type KeyObject, privateEncrypt, publicDecrypt, timingSafeEqual } from "node:crypto";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { unsupported } from "./errors.ts";

type DigestInput = { readonly algorithm: AlgorithmName; readonly key: KeyObject; readonly digest: Uint8Array };

/** DER of the DigestInfo before the digest (RFC 8017 § 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

/** RSASSA-PKCS1-v1_5 (RFC 8017 § 8.2) of a digest: the same signature as of its message. */
export function signPkcs1Digest({ algorithm, key, digest }: DigestInput): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(algorithm, digest));
}

/** Whether the signature fits. Opened and compared whole, so that nothing stands beside the digest. */
export function verifyPkcs1Digest({ signature, ...input }: DigestInput & { readonly signature: Uint8Array }): boolean {
  const { algorithm, key, digest } = input;
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  // OpenSSL opens a signature whose leading zeros are gone (RFC 8017 § 8.2.2, step 1, does not).
  if (signature.length !== modulusLength / 8) return false;
  const expected = digestInfo(algorithm, digest);
  try {
    const opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return opened.length === expected.length && timingSafeEqual(opened, expected);
  } catch {
    return false;
  }
}

function digestInfo(algorithm: AlgorithmName, digest: Uint8Array): Buffer {
  const prefix = DIGEST_INFO[algorithmTraits(algorithm).hash ?? ""];
  if (prefix === undefined) throw unsupported(`a digest with ${algorithm}`);
  return Buffer.concat([Buffer.from(prefix, "hex"), digest]);
}
