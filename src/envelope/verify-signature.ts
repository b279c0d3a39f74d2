import { constants, type KeyObject, publicDecrypt, timingSafeEqual, verify } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { ecdsaToDer, ecdsaToRaw } from "./ecdsa-encoding.ts";

export type SignatureToVerify = {
  readonly algorithm: AlgorithmName;
  readonly publicKey: KeyObject;
  readonly signable: { readonly kind: "message" | "digest"; readonly bytes: Uint8Array };
  readonly signature: Uint8Array;
  /** Of ECDSA signatures: DER (RFC 3279), or r and s side by side (IEEE P1363). */
  readonly encoding?: "der" | "raw";
};

/**
 * Whether a signature verifies under a public key. What is malformed does not; nothing throws. `unsupported` for digests under RSA-PSS and under
 * algorithms without a hash of their own: node:crypto takes messages there.
 */
export function verifySignature(input: SignatureToVerify): boolean | "unsupported" {
  try {
    if (!isKeyOf(input.algorithm, input.publicKey)) return false;
    return input.signable.kind === "digest" ? verifyDigest(input) : verifyMessage(input);
  } catch {
    return false;
  }
}

/** Whether a key is of the algorithm's kind: node:crypto takes any, and signs by the key's kind where no hash is named. */
function isKeyOf(
  algorithm: AlgorithmName,
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
): boolean {
  const bits = RSA_NAME.exec(algorithm)?.[1];
  if (bits !== undefined) return type === "rsa" && details?.modulusLength === Number(bits);
  const curve = CURVES[algorithm];
  return curve === undefined
    ? type === algorithm.toLowerCase()
    : type === "ec" && details?.namedCurve === curve.openssl;
}

const RSA_NAME = /^RSA-(\d+)-/u;

function verifyMessage({ algorithm, publicKey, signable, signature, encoding = "der" }: SignatureToVerify): boolean {
  const { hash = null } = algorithmTraits(algorithm);
  if (algorithm.startsWith("EC-")) {
    // node:crypto reads other forms than DER too
    const der = strictDer(signature, algorithm, encoding);
    return der !== undefined && verify(hash, signable.bytes, { key: publicKey, dsaEncoding: "der" }, der);
  }
  return verify(hash, signable.bytes, { key: publicKey, ...paddingOf(algorithm) }, signature);
}

function paddingOf(algorithm: AlgorithmName): { readonly padding?: number; readonly saltLength?: number } {
  if (algorithm.includes("-PSS-"))
    return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return algorithm.includes("-PKCS1-") ? { padding: constants.RSA_PKCS1_PADDING } : {};
}

function strictDer(signature: Uint8Array, algorithm: AlgorithmName, encoding: "der" | "raw"): Buffer | undefined {
  if (encoding === "raw") return ecdsaToDer(signature, algorithm);
  return ecdsaToRaw(signature, algorithm) === undefined ? undefined : Buffer.from(signature);
}

function verifyDigest(input: SignatureToVerify): boolean | "unsupported" {
  const { algorithm, publicKey, signable, signature } = input;
  if (algorithm.includes("-PKCS1-")) {
    const { hash = "" } = algorithmTraits(algorithm);
    const prefix = DIGEST_INFO[hash];
    if (prefix === undefined) return "unsupported";
    const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
    // OpenSSL opens a signature whose leading zeros are gone (RFC 8017 § 8.2.2, step 1, does not).
    if (signature.length !== modulusLength / 8) return false;
    const opened = publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature);
    const expected = Buffer.concat([Buffer.from(prefix, "hex"), signable.bytes]);
    return opened.length === expected.length && timingSafeEqual(opened, expected);
  }
  return algorithm.startsWith("EC-") ? verifyEcdsaDigest(input) : "unsupported";
}

/** DER of the DigestInfo before the digest (RFC 8017 § 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

type Curve = { readonly openssl: string; readonly ecdsa: typeof p256 };

const CURVES: Partial<Readonly<Record<AlgorithmName, Curve>>> = {
  "EC-P256-SHA256": { openssl: "prime256v1", ecdsa: p256 },
  "EC-P384-SHA384": { openssl: "secp384r1", ecdsa: p384 },
  "EC-P521-SHA512": { openssl: "secp521r1", ecdsa: p521 },
  "EC-SECP256K1-SHA256": { openssl: "secp256k1", ecdsa: secp256k1 },
};

function verifyEcdsaDigest({
  algorithm,
  publicKey,
  signable,
  signature,
  encoding = "der",
}: SignatureToVerify): boolean {
  const curve = CURVES[algorithm]?.ecdsa;
  const der = strictDer(signature, algorithm, encoding);
  const raw = der === undefined ? undefined : ecdsaToRaw(der, algorithm);
  const { x, y } = publicKey.export({ format: "jwk" });
  if (curve === undefined || raw === undefined || x === undefined || y === undefined) return false;
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return curve.verify(raw, signable.bytes, point, { prehash: false, lowS: false, format: "compact" });
}
