import { constants, decapsulate, privateDecrypt } from "node:crypto";
import { rowOf } from "../algorithms.ts";
import { bytesOf, checksumOf, isVerified } from "../checksums.ts";
import { crc32c } from "../crc32c.ts";
import { invalidArgument } from "../failure.ts";
import type { Operation, Operations } from "../methods.ts";
import { materialOf, versionToUse } from "../resolve.ts";

const decrypt: Operation<"AsymmetricDecrypt"> = async (kms, request) => {
  const ciphertext = bytesOf(request.ciphertext);
  const verified = isVerified({ field: "ciphertext", bytes: ciphertext, crc: request.ciphertextCrc32c });
  const version = versionToUse(kms, request.name, ["ASYMMETRIC_DECRYPT"]);
  const key = await materialOf(version)();
  const oaepHash = rowOf(version.algorithm).hash ?? "sha256";
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const plaintext = orFail(() => privateDecrypt({ key, padding, oaepHash }, ciphertext));
  return {
    plaintext,
    plaintextCrc32c: checksumOf(plaintext),
    verifiedCiphertextCrc32c: verified,
    protectionLevel: version.protectionLevel,
  };
};

const openKem: Operation<"Decapsulate"> = async (kms, request) => {
  const ciphertext = bytesOf(request.ciphertext);
  const verified = isVerified({ field: "ciphertext", bytes: ciphertext, crc: request.ciphertextCrc32c });
  const version = versionToUse(kms, request.name, ["KEY_ENCAPSULATION"]);
  const key = await materialOf(version)();
  const sharedSecret = orFail(() => decapsulate(key, ciphertext));
  return {
    name: version.name,
    sharedSecret,
    sharedSecretCrc32c: crc32c(sharedSecret),
    verifiedCiphertextCrc32c: verified,
    protectionLevel: version.protectionLevel,
  };
};

const orFail = (open: () => Buffer): Buffer => {
  try {
    return open();
  } catch {
    throw invalidArgument("Decryption failed.");
  }
};

export const privateKeyOperations: Pick<Operations, "AsymmetricDecrypt" | "Decapsulate"> = {
  AsymmetricDecrypt: decrypt,
  Decapsulate: openKem,
};
