import type { Operations } from "../methods.ts";
import { cryptoKeyOperations } from "./crypto-keys.ts";
import { encryptionOperations } from "./encryption.ts";
import { importJobOperations } from "./import-jobs.ts";
import { importOperations } from "./imports.ts";
import { keyRingOperations } from "./key-rings.ts";
import { macOperations } from "./macs.ts";
import { privateKeyOperations } from "./private-keys.ts";
import { publicKeyOperations } from "./public-keys.ts";
import { randomOperations } from "./random.ts";
import { rawEncryptionOperations } from "./raw-encryption.ts";
import { signatureOperations } from "./signatures.ts";
import { versionOperations } from "./versions.ts";

/** Every operation that the fake knows; all others are UNIMPLEMENTED. */
export const OPERATIONS: Operations = {
  ...keyRingOperations,
  ...cryptoKeyOperations,
  ...versionOperations,
  ...encryptionOperations,
  ...rawEncryptionOperations,
  ...signatureOperations,
  ...privateKeyOperations,
  ...macOperations,
  ...publicKeyOperations,
  ...randomOperations,
  ...importJobOperations,
  ...importOperations,
};
