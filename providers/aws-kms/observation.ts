import type { AlgorithmName } from "#core/algorithms.ts";
import type { Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { ObservedClass } from "#core/states.ts";
import type { KeyMetadata } from "./client.ts";

/** What DescribeKey and CreateKey tell of a key, in our words. */
export function observationOf(
  metadata: KeyMetadata,
  about: { readonly ref: NativeRef; readonly marker: string | null; readonly requestId: string | null },
): Observation {
  const { KeyState = "", KeySpec = "", KeyUsage = "", DeletionDate, CreationDate } = metadata;
  return {
    ref: about.ref,
    observed: STATES[KeyState] ?? "unknown",
    nativeState: KeyState,
    algorithm: ALGORITHMS[`${KeySpec} ${KeyUsage}`] ?? null,
    marker: about.marker,
    destroyTime: DeletionDate?.getTime() ?? null,
    createTime: CreationDate?.getTime() ?? null,
    requestId: about.requestId,
  };
}

const STATES: Readonly<Record<string, ObservedClass>> = {
  Enabled: "enabled",
  Disabled: "disabled",
  // Nothing here tells material that never came from material that went.
  PendingImport: "material-missing",
  PendingDeletion: "pending-destroy",
  PendingReplicaDeletion: "pending-destroy",
  Unavailable: "unavailable",
  Creating: "unavailable",
  Updating: "unavailable",
};

/** Pairs of KeySpec and KeyUsage that leave one algorithm; those of RSA leave several. */
const ALGORITHMS: Readonly<Record<string, AlgorithmName>> = {
  "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT": "AES-256-OPAQUE",
  "HMAC_224 GENERATE_VERIFY_MAC": "HMAC-SHA-224",
  "HMAC_256 GENERATE_VERIFY_MAC": "HMAC-SHA-256",
  "HMAC_384 GENERATE_VERIFY_MAC": "HMAC-SHA-384",
  "HMAC_512 GENERATE_VERIFY_MAC": "HMAC-SHA-512",
  "ECC_NIST_P256 SIGN_VERIFY": "EC-P256-SHA256",
  "ECC_NIST_P384 SIGN_VERIFY": "EC-P384-SHA384",
  "ECC_NIST_P521 SIGN_VERIFY": "EC-P521-SHA512",
  "ECC_SECG_P256K1 SIGN_VERIFY": "EC-SECP256K1-SHA256",
  "ECC_NIST_EDWARDS25519 SIGN_VERIFY": "ED25519",
  "ML_DSA_44 SIGN_VERIFY": "ML-DSA-44",
  "ML_DSA_65 SIGN_VERIFY": "ML-DSA-65",
  "ML_DSA_87 SIGN_VERIFY": "ML-DSA-87",
};
