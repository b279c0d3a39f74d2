import { constants, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { NO_CONTEXT } from "#core/context.ts";
import type { CapabilityRow, Cipher, Provider } from "#core/provider.ts";
import { expectAllInvalid } from "./attack.ts";
import { call, type ProviderTest } from "./subject.ts";

/** RSAES-OAEP against node:crypto: into the service with the public key, and out of it where the key came from us. */
export function oaepTests({ algorithm, maxInputBytes }: CapabilityRow, isImported: boolean): ProviderTest[] {
  return [
    {
      name: `${algorithm}: decrypt opens what node:crypto encrypts with the public key, and nothing of another padding, hash or label`,
      run: async ({ provider, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const { publicKeys = expect.fail("it shows no public keys") } = provider;
        const { value } = await publicKeys.publicKey(ref, call());
        const key = createPublicKey({ key: value, format: "der", type: "spki" });
        const decrypt = async (ciphertext: Buffer) =>
          (await cipherOf(provider).decrypt({ ref, algorithm, ciphertext, context: NO_CONTEXT }, call())).value;
        for (const size of [1, 32, maxInputBytes]) {
          const plaintext = randomBytes(size);
          expect((await decrypt(publicEncrypt({ key, ...oaepOf(algorithm) }, plaintext))).equals(plaintext)).toBe(true);
        }
        const plaintext = randomBytes(32);
        const strange = [
          publicEncrypt({ key, ...oaepOf(algorithm), oaepHash: "sha384" }, plaintext),
          publicEncrypt({ key, ...oaepOf(algorithm), oaepLabel: Buffer.from("label") }, plaintext),
          publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, plaintext),
        ];
        await expectAllInvalid(
          provider,
          strange.map((ciphertext) => async () => await decrypt(ciphertext)),
        );
      },
    },
    ...(isImported ? [outwards(algorithm, maxInputBytes)] : []),
  ];
}

function outwards(algorithm: AlgorithmName, maxInputBytes: number): ProviderTest {
  return {
    name: `${algorithm}: node:crypto opens with an imported private key what encrypt made`,
    run: async ({ provider, importedKey, material }) => {
      const ref = await importedKey(algorithm);
      const key = createPrivateKey({ key: material(algorithm), format: "der", type: "pkcs8" });
      for (const size of [1, 32, maxInputBytes]) {
        const plaintext = randomBytes(size);
        const input = { ref, algorithm, plaintext, context: NO_CONTEXT };
        const { value } = await cipherOf(provider).encrypt(input, call());
        expect(privateDecrypt({ key, ...oaepOf(algorithm) }, value).equals(plaintext)).toBe(true);
      }
    },
  };
}

/** The mask generation function takes the same hash. */
function oaepOf(algorithm: AlgorithmName): { padding: number; oaepHash: string } {
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: algorithmTraits(algorithm).hash ?? "" };
}

function cipherOf({ cipher }: Provider): Cipher {
  return cipher ?? expect.fail("the provider has no cipher");
}
