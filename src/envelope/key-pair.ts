import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { parsePublicKey } from "./public-key.ts";

const MESSAGE = Buffer.from("claviger/1 pairwise consistency");
const HASHED: ReadonlySet<string> = new Set(["rsa", "rsa-pss", "ec"]);

/**
 * Whether a private key in PKCS#8 DER brings a public half that is its own, by using both (SP 800-56A § 5.6.2.1.4): a value may claim another's.
 * False for what is no private key.
 */
export function isWholePair(pkcs8: Buffer): boolean {
  try {
    const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    const publicKey = createPublicKey(privateKey);
    const kind = privateKey.asymmetricKeyType ?? "";
    if (kind === "x25519") return agrees(privateKey, publicKey);
    if (kind.startsWith("ml-kem")) return decapsulates(privateKey, publicKey);
    const hash = HASHED.has(kind) ? "sha256" : null;
    return verify(hash, MESSAGE, publicKey, sign(hash, MESSAGE, privateKey));
  } catch {
    return false;
  }
}

/** Whether SPKI DER is the public half that a private key in PKCS#8 DER brings. */
export function isPublicHalf(spki: Uint8Array, pkcs8: Buffer): boolean {
  try {
    const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    return parsePublicKey(spki)?.equals(createPublicKey(privateKey)) ?? false;
  } catch {
    return false;
  }
}

function agrees(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const other = generateKeyPairSync("x25519");
  const ours = diffieHellman({ privateKey, publicKey: other.publicKey });
  return isSame(ours, diffieHellman({ privateKey: other.privateKey, publicKey }));
}

function decapsulates(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const { sharedKey, ciphertext } = encapsulate(publicKey);
  return isSame(Buffer.from(sharedKey), Buffer.from(decapsulate(privateKey, Buffer.from(ciphertext))));
}

/** Compares two secrets and zeroes them. */
function isSame(one: Buffer, other: Buffer): boolean {
  const same = one.length === other.length && timingSafeEqual(one, other);
  one.fill(0);
  other.fill(0);
  return same;
}
