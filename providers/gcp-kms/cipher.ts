import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import type { Context } from "#core/context.ts";
import { encodeContext } from "#core/context-encoding.ts";
import { ProviderError } from "#core/failures.ts";
import type { Answer, CallContext, Cipher } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { hashOf, shapeOf } from "./algorithms.ts";
import { type Require, requireContext } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { keyOfRef } from "./names.ts";
import { checkedBytes, present, requireVerified, sum } from "./present.ts";
import { readSpki } from "./public-keys.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;
const NONE = Buffer.alloc(0);

/** Encrypt and Decrypt, RawEncrypt and RawDecrypt (`iv 12 || ciphertext || tag 16`), and RSA-OAEP, whose public half encrypts here: the service has no call for it. */
export function createCipher(client: KmsClient, requireRow: Require): Cipher {
  return {
    async encrypt({ ref, algorithm, plaintext, context }, call) {
      requireContext(requireRow("encrypt", algorithm, plaintext.length), context);
      const { purpose } = shapeOf(algorithm);
      if (purpose === "ENCRYPT_DECRYPT") return await seal(client, { ref, plaintext, data: additional(context) }, call);
      if (purpose === "RAW_ENCRYPT_DECRYPT")
        return await sealRaw(client, { ref, plaintext, data: additional(context) }, call);
      const spki = await readSpki(client, { ref, algorithm }, call);
      const key = createPublicKey({ key: spki, format: "der", type: "spki" });
      const oaepHash = hashOf(algorithm) ?? "sha256";
      return {
        value: publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext),
        requestId: null,
      };
    },
    async decrypt({ ref, algorithm, ciphertext, context }, call) {
      requireContext(requireRow("decrypt", algorithm), context);
      const { purpose } = shapeOf(algorithm);
      if (purpose === "ENCRYPT_DECRYPT")
        return await open(client, { ref, ciphertext, data: additional(context) }, call);
      if (purpose === "RAW_ENCRYPT_DECRYPT")
        return await openRaw(client, { ref, ciphertext, data: additional(context) }, call);
      const answer = await client.asymmetricDecrypt({ name: ref, ciphertext, ciphertextCrc32c: sum(ciphertext) }, call);
      requireVerified(answer.verifiedCiphertextCrc32c, "the ciphertext");
      return { value: checkedBytes(answer.plaintext ?? NONE, answer.plaintextCrc32c, "plaintext"), requestId: null };
    },
  };
}

/** No context is no additional data, so that what was encrypted without Claviger opens; any other is its encoding (keys.md). */
function additional(context: Context): Uint8Array {
  const isEmpty = context.kind === "none" || (context.kind === "map" && context.pairs.size === 0);
  return isEmpty ? NONE : encodeContext(context);
}

type Sealing = { readonly ref: NativeRef; readonly plaintext: Uint8Array; readonly data: Uint8Array };
type Opening = { readonly ref: NativeRef; readonly ciphertext: Uint8Array; readonly data: Uint8Array };

function aad(data: Uint8Array) {
  return { additionalAuthenticatedData: data, additionalAuthenticatedDataCrc32c: sum(data) };
}

/** Encrypt with one version of a key of purpose ENCRYPT_DECRYPT. */
export async function seal(
  client: KmsClient,
  { ref, plaintext, data }: Sealing,
  call: CallContext,
): Promise<Answer<Buffer>> {
  keyOfRef(ref);
  const answer = await client.encrypt({ name: ref, plaintext, plaintextCrc32c: sum(plaintext), ...aad(data) }, call);
  requireVerified(answer.verifiedPlaintextCrc32c, "the plaintext");
  requireVerified(answer.verifiedAdditionalAuthenticatedDataCrc32c, "the additional data");
  return { value: checkedBytes(answer.ciphertext, answer.ciphertextCrc32c, "ciphertext"), requestId: null };
}

/** Decrypt, which the service does by the key: it finds the version in the ciphertext. */
export async function open(
  client: KmsClient,
  { ref, ciphertext, data }: Opening,
  call: CallContext,
): Promise<Answer<Buffer>> {
  const name = keyOfRef(ref);
  const answer = await client.decrypt({ name, ciphertext, ciphertextCrc32c: sum(ciphertext), ...aad(data) }, call);
  return { value: checkedBytes(answer.plaintext ?? NONE, answer.plaintextCrc32c, "plaintext"), requestId: null };
}

async function sealRaw(
  client: KmsClient,
  { ref, plaintext, data }: Sealing,
  call: CallContext,
): Promise<Answer<Buffer>> {
  keyOfRef(ref);
  const answer = await client.rawEncrypt({ name: ref, plaintext, plaintextCrc32c: sum(plaintext), ...aad(data) }, call);
  requireVerified(answer.verifiedPlaintextCrc32c, "the plaintext");
  requireVerified(answer.verifiedAdditionalAuthenticatedDataCrc32c, "the additional data");
  const sealed = checkedBytes(answer.ciphertext, answer.ciphertextCrc32c, "ciphertext");
  const iv = checkedBytes(answer.initializationVector, answer.initializationVectorCrc32c, "initialization_vector");
  if (iv.length !== IV_BYTES || present(answer.tagLength, "tag_length") !== TAG_BYTES)
    throw new ProviderError({ failure: "OUTAGE", detail: "an answer with an iv or a tag of another length" });
  return { value: Buffer.concat([iv, sealed]), requestId: null };
}

async function openRaw(
  client: KmsClient,
  { ref, ciphertext, data }: Opening,
  call: CallContext,
): Promise<Answer<Buffer>> {
  keyOfRef(ref);
  if (ciphertext.length < IV_BYTES + TAG_BYTES) {
    // the service is asked all the same: of a key that is not there nothing is invalid
    await client.getVersion({ name: ref }, call);
    throw new ProviderError({ failure: "INVALID", detail: "the service refuses the bytes" });
  }
  const initializationVector = ciphertext.subarray(0, IV_BYTES);
  const sealed = ciphertext.subarray(IV_BYTES);
  const answer = await client.rawDecrypt(
    {
      name: ref,
      ciphertext: sealed,
      ciphertextCrc32c: sum(sealed),
      initializationVector,
      initializationVectorCrc32c: sum(initializationVector),
      tagLength: TAG_BYTES,
      ...aad(data),
    },
    call,
  );
  requireVerified(answer.verifiedCiphertextCrc32c, "the ciphertext");
  return { value: checkedBytes(answer.plaintext ?? NONE, answer.plaintextCrc32c, "plaintext"), requestId: null };
}
