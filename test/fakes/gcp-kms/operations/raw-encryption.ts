import { randomBytes } from "node:crypto";
import { bytesOf, checksumOf, isVerified } from "../checksums.ts";
import { invalidArgument } from "../failure.ts";
import { IV_BYTES, openGcm, sealGcm, TAG_BYTES } from "../gcm.ts";
import { refuseLarge } from "../limits.ts";
import type { Operation, Operations } from "../methods.ts";
import { materialOf, versionToUse } from "../resolve.ts";

const encrypt: Operation<"RawEncrypt"> = async (kms, request) => {
  const plaintext = bytesOf(request.plaintext);
  const aad = bytesOf(request.additionalAuthenticatedData);
  const sentIv = bytesOf(request.initializationVector);
  const verified = {
    verifiedPlaintextCrc32c: isVerified({ field: "plaintext", bytes: plaintext, crc: request.plaintextCrc32c }),
    verifiedAdditionalAuthenticatedDataCrc32c: isVerified({
      field: "additional_authenticated_data",
      bytes: aad,
      crc: request.additionalAuthenticatedDataCrc32c,
    }),
    verifiedInitializationVectorCrc32c: isVerified({
      field: "initialization_vector",
      bytes: sentIv,
      crc: request.initializationVectorCrc32c,
    }),
  };
  const version = versionToUse(kms, request.name, ["RAW_ENCRYPT_DECRYPT"]);
  if (sentIv.length > 0) throw invalidArgument("initialization_vector must not be set for AES-GCM.");
  refuseLarge(version, { plaintext, aad });
  const iv = randomBytes(IV_BYTES);
  const ciphertext = sealGcm(plaintext, { secret: await materialOf(version)(), iv, aad });
  return {
    ciphertext,
    initializationVector: iv,
    tagLength: TAG_BYTES,
    ciphertextCrc32c: checksumOf(ciphertext),
    initializationVectorCrc32c: checksumOf(iv),
    ...verified,
    name: version.name,
    protectionLevel: version.protectionLevel,
  };
};

const decrypt: Operation<"RawDecrypt"> = async (kms, request) => {
  const ciphertext = bytesOf(request.ciphertext);
  const aad = bytesOf(request.additionalAuthenticatedData);
  const iv = bytesOf(request.initializationVector);
  const verified = {
    verifiedCiphertextCrc32c: isVerified({ field: "ciphertext", bytes: ciphertext, crc: request.ciphertextCrc32c }),
    verifiedAdditionalAuthenticatedDataCrc32c: isVerified({
      field: "additional_authenticated_data",
      bytes: aad,
      crc: request.additionalAuthenticatedDataCrc32c,
    }),
    verifiedInitializationVectorCrc32c: isVerified({
      field: "initialization_vector",
      bytes: iv,
      crc: request.initializationVectorCrc32c,
    }),
  };
  const version = versionToUse(kms, request.name, ["RAW_ENCRYPT_DECRYPT"]);
  if (request.tagLength !== 0 && request.tagLength !== TAG_BYTES) throw invalidArgument("tag_length must be 16.");
  const plaintext = openGcm(ciphertext, { secret: await materialOf(version)(), iv, aad });
  return {
    plaintext,
    plaintextCrc32c: checksumOf(plaintext),
    protectionLevel: version.protectionLevel,
    ...verified,
  };
};

export const rawEncryptionOperations: Pick<Operations, "RawEncrypt" | "RawDecrypt"> = {
  RawEncrypt: encrypt,
  RawDecrypt: decrypt,
};
