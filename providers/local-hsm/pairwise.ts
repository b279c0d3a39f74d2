import { decapsulate, diffieHellman, encapsulate, createPublicKey, timingSafeEqual } from "node:crypto";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { newPrivateKey } from "./generate.ts";
import { openOaep, sealOaep } from "./oaep.ts";
import { ownBytes } from "./own-bytes.ts";
import type { KeyPair } from "./private-key.ts";
import { shapeOf } from "./shapes.ts";
import { signMessage, verifyMessage } from "./signatures.ts";

const MESSAGE = Buffer.from("claviger/1 local-hsm pairwise consistency");

/**
 * Whether the halves of a key belong together, by using them (SP 800-56A § 5.6.2.1.4, FIPS 140-3 IG 10.3.A): a PKCS#8 value may bring a
 * public half of its own.
 */
export async function isConsistent(algorithm: AlgorithmName, pair: KeyPair): Promise<boolean> {
  try {
    switch (algorithmTraits(algorithm).purpose) {
      case "encrypt":
        return opens(pair);
      case "sign": {
        const signature = await signMessage({ algorithm, key: pair.privateKey, message: MESSAGE });
        return verifyMessage({ algorithm, key: pair.publicKey, message: MESSAGE, signature });
      }
      case "agree":
        return await agrees(algorithm, pair);
      case "kem":
        return decapsulates(pair);
      case "mac":
      case "wrap":
        return false;
    }
  } catch {
    return false;
  }
}

function opens({ publicKey, privateKey }: KeyPair): boolean {
  const ciphertext = sealOaep({ publicKey, hash: "sha256", plaintext: MESSAGE });
  return openOaep({ privateKey, hash: "sha256", ciphertext }).equals(MESSAGE);
}

async function agrees(algorithm: AlgorithmName, { publicKey, privateKey }: KeyPair): Promise<boolean> {
  const shape = shapeOf(algorithm);
  if (shape === undefined || shape.kind === "secret") return false;
  const other = await newPrivateKey(shape);
  const ours = diffieHellman({ privateKey, publicKey: createPublicKey(other) });
  return isSame(ours, diffieHellman({ privateKey: other, publicKey }));
}

function decapsulates({ publicKey, privateKey }: KeyPair): boolean {
  const { sharedKey, ciphertext } = encapsulate(publicKey);
  return isSame(sharedKey, decapsulate(privateKey, ciphertext));
}

/** Compares two secrets and zeroes them. */
function isSame(first: Buffer, second: Buffer): boolean {
  const [one, other] = [ownBytes(first), ownBytes(second)];
  const same = one.length === other.length && timingSafeEqual(one, other);
  one.fill(0);
  other.fill(0);
  return same;
}
