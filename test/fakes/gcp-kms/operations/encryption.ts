import { openBlob, readOrigin, sealBlob } from "../blob.ts";
import { bytesOf, checksumOf, isVerified } from "../checksums.ts";
import { GrpcFailure, invalidArgument, precondition } from "../failure.ts";
import { refuseLarge } from "../limits.ts";
import type { Operation, Operations } from "../methods.ts";
import {
  getKey,
  getVersion,
  isVersionName,
  materialOf,
  requireEnabled,
  requirePurpose,
  type Found,
} from "../resolve.ts";
import { findVersion, type KmsState } from "../state.ts";

const encrypt: Operation<"Encrypt"> = async (kms, request) => {
  const plaintext = bytesOf(request.plaintext);
  const aad = bytesOf(request.additionalAuthenticatedData);
  const verified = {
    verifiedPlaintextCrc32c: isVerified({ field: "plaintext", bytes: plaintext, crc: request.plaintextCrc32c }),
    verifiedAdditionalAuthenticatedDataCrc32c: isVerified({
      field: "additional_authenticated_data",
      bytes: aad,
      crc: request.additionalAuthenticatedDataCrc32c,
    }),
  };
  const { key, version } = isVersionName(request.name) ? getVersion(kms, request.name) : primaryOf(kms, request.name);
  requirePurpose(key, ["ENCRYPT_DECRYPT"]);
  requireEnabled(kms, version);
  refuseLarge(version, { plaintext, aad });
  const use = { secret: await materialOf(version)(), aad };
  const ciphertext = sealBlob(plaintext, { keyName: key.name, versionId: version.id }, use);
  const { name, protectionLevel } = version;
  return { name, ciphertext, ciphertextCrc32c: checksumOf(ciphertext), ...verified, protectionLevel };
};

/** The primary version as Encrypt sees it, which lags behind what reads tell. */
const primaryOf = (kms: KmsState, name: string): Found => {
  const key = getKey(kms, name);
  requirePurpose(key, ["ENCRYPT_DECRYPT"]);
  const version = findVersion(key, key.primary.seen(kms.now()));
  if (version !== undefined) return { key, version };
  throw precondition(`${name} does not have a primary version.`, { type: "NO_PRIMARY", subject: name });
};

const decrypt: Operation<"Decrypt"> = async (kms, request) => {
  const ciphertext = bytesOf(request.ciphertext);
  const aad = bytesOf(request.additionalAuthenticatedData);
  isVerified({ field: "ciphertext", bytes: ciphertext, crc: request.ciphertextCrc32c });
  isVerified({
    field: "additional_authenticated_data",
    bytes: aad,
    crc: request.additionalAuthenticatedDataCrc32c,
  });
  const key = getKey(kms, request.name);
  requirePurpose(key, ["ENCRYPT_DECRYPT"]);
  const origin = readOrigin(ciphertext, key.name);
  const version = origin === "none" || origin === "other-key" ? undefined : findVersion(key, origin.versionId);
  if (version === undefined) throw undecipherable(origin === "none");
  requireEnabled(kms, version);
  refuseLarge(version, { plaintext: Buffer.alloc(0), aad });
  const plaintext = openBlob(ciphertext, { secret: await materialOf(version)(), aad });
  return {
    plaintext,
    plaintextCrc32c: checksumOf(plaintext),
    usedPrimary: key.primary.seen(kms.now()) === version.id,
    protectionLevel: version.protectionLevel,
  };
};

/** The service tells what was never a ciphertext from one that another key made. */
const undecipherable = (wasNone: boolean): GrpcFailure =>
  invalidArgument(
    wasNone
      ? "Decryption failed: the ciphertext is invalid."
      : "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
  );

export const encryptionOperations: Pick<Operations, "Encrypt" | "Decrypt"> = { Encrypt: encrypt, Decrypt: decrypt };
