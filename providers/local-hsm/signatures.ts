import { constants, type KeyObject, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";

type MessageInput = { readonly algorithm: AlgorithmName; readonly key: KeyObject; readonly message: Uint8Array };

const signAside = promisify<string | null, Uint8Array, SigningKey, Buffer>(sign);
type SigningKey = ReturnType<typeof keyInput>;

/** Signatures that take less than the way to another thread and back. */
const QUICK: ReadonlySet<AlgorithmName> = new Set(["EC-P256-SHA256", "ED25519"]);

/** Signs a message, off the event loop but for what is quick: SLH-DSA takes half a second. ECDSA gives DER. */
export async function signMessage({ algorithm, key, message }: MessageInput): Promise<Buffer> {
  if (QUICK.has(algorithm)) return sign(hashOf(algorithm), message, keyInput(algorithm, key));
  return await signAside(hashOf(algorithm), message, keyInput(algorithm, key));
}

/** Whether the signature of a message fits. What is malformed does not. */
export function verifyMessage({ signature, ...input }: MessageInput & { readonly signature: Uint8Array }): boolean {
  const { algorithm, key, message } = input;
  try {
    return verify(hashOf(algorithm), message, keyInput(algorithm, key), signature);
  } catch {
    return false;
  }
}

function hashOf(algorithm: AlgorithmName): string | null {
  return algorithmTraits(algorithm).hash ?? null;
}

function keyInput(algorithm: AlgorithmName, key: KeyObject) {
  if (algorithm.includes("-PSS-")) {
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  }
  return algorithm.startsWith("RSA-")
    ? { key, padding: constants.RSA_PKCS1_PADDING }
    : { key, dsaEncoding: "der" as const };
}
