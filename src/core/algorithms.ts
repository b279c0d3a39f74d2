import type { CustodyKind } from "./custody.ts";
import type { Purpose } from "./purposes.ts";

type AlgorithmTraits = {
  readonly purpose: Purpose;
  /** Kinds of custody in which the algorithm makes sense. */
  readonly custody: readonly CustodyKind[];
  /** Whether an operation can bind a context (additional data). */
  readonly context: boolean;
  /** The algorithm's number in derivations (keys.md, portable MAC). */
  readonly id?: number;
  /** For signatures and MACs that hash: node:crypto's name of the hash. */
  readonly hash?: string;
};

const ANYWHERE: readonly CustodyKind[] = ["portable", "native", "replicated"];
const HELD: readonly CustodyKind[] = ["native", "replicated"];
const SIGNED: readonly CustodyKind[] = ["native", "replicated", "per-provider"];

/** Every canonical algorithm of the model, as data. What a provider offers of them is in its capabilities. */
export const ALGORITHMS = {
  "AES-256-GCM": { purpose: "encrypt", custody: ANYWHERE, context: true },
  "AES-192-GCM": { purpose: "encrypt", custody: HELD, context: true },
  "AES-128-GCM": { purpose: "encrypt", custody: HELD, context: true },
  "AES-256-OPAQUE": { purpose: "encrypt", custody: ["native"], context: true },
  "RSA-2048-OAEP-SHA256": { purpose: "encrypt", custody: HELD, context: false, hash: "sha256" },
  "RSA-3072-OAEP-SHA256": { purpose: "encrypt", custody: HELD, context: false, hash: "sha256" },
  "RSA-4096-OAEP-SHA256": { purpose: "encrypt", custody: HELD, context: false, hash: "sha256" },
  "RSA-2048-OAEP-SHA1": { purpose: "encrypt", custody: HELD, context: false, hash: "sha1" },
  "RSA-3072-OAEP-SHA1": { purpose: "encrypt", custody: HELD, context: false, hash: "sha1" },
  "RSA-4096-OAEP-SHA1": { purpose: "encrypt", custody: HELD, context: false, hash: "sha1" },
  "RSA-4096-OAEP-SHA512": { purpose: "encrypt", custody: HELD, context: false, hash: "sha512" },
  "RSA-2048-PSS-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-3072-PSS-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-4096-PSS-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-2048-PSS-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-3072-PSS-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-4096-PSS-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-2048-PSS-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "RSA-3072-PSS-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "RSA-4096-PSS-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "RSA-2048-PKCS1-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-3072-PKCS1-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-4096-PKCS1-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "RSA-2048-PKCS1-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-3072-PKCS1-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-4096-PKCS1-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "RSA-2048-PKCS1-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "RSA-3072-PKCS1-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "RSA-4096-PKCS1-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "EC-P256-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  "EC-P384-SHA384": { purpose: "sign", custody: SIGNED, context: false, hash: "sha384" },
  "EC-P521-SHA512": { purpose: "sign", custody: SIGNED, context: false, hash: "sha512" },
  "EC-SECP256K1-SHA256": { purpose: "sign", custody: SIGNED, context: false, hash: "sha256" },
  ED25519: { purpose: "sign", custody: SIGNED, context: false },
  "ML-DSA-44": { purpose: "sign", custody: SIGNED, context: false },
  "ML-DSA-65": { purpose: "sign", custody: SIGNED, context: false },
  "ML-DSA-87": { purpose: "sign", custody: SIGNED, context: false },
  "SLH-DSA-SHA2-128s": { purpose: "sign", custody: SIGNED, context: false },
  "HMAC-SHA-224": { purpose: "mac", custody: ANYWHERE, context: false, id: 1, hash: "sha224" },
  "HMAC-SHA-256": { purpose: "mac", custody: ANYWHERE, context: false, id: 2, hash: "sha256" },
  "HMAC-SHA-384": { purpose: "mac", custody: ANYWHERE, context: false, id: 3, hash: "sha384" },
  "HMAC-SHA-512": { purpose: "mac", custody: ANYWHERE, context: false, id: 4, hash: "sha512" },
  "AES-KW": { purpose: "wrap", custody: HELD, context: false },
  "AES-KWP": { purpose: "wrap", custody: ANYWHERE, context: false },
  "ECDH-P256": { purpose: "agree", custody: HELD, context: false },
  "ECDH-P384": { purpose: "agree", custody: HELD, context: false },
  "ECDH-P521": { purpose: "agree", custody: HELD, context: false },
  X25519: { purpose: "agree", custody: HELD, context: false },
  "ML-KEM-512": { purpose: "kem", custody: HELD, context: false },
  "ML-KEM-768": { purpose: "kem", custody: HELD, context: false },
  "ML-KEM-1024": { purpose: "kem", custody: HELD, context: false },
  "X-WING": { purpose: "kem", custody: HELD, context: false },
} as const satisfies Record<string, AlgorithmTraits>;

export type AlgorithmName = keyof typeof ALGORITHMS;

export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as readonly AlgorithmName[];

export function algorithmTraits(name: AlgorithmName): AlgorithmTraits {
  return ALGORITHMS[name];
}

/** Whether keys of an algorithm have a public half. */
export function hasPublicKey(name: AlgorithmName): boolean {
  const { purpose } = ALGORITHMS[name];
  return purpose === "sign" || purpose === "agree" || purpose === "kem" || name.startsWith("RSA-");
}

/** The algorithm of a key that names none (api.md § 5). */
export function defaultAlgorithm(purpose: Purpose, custody: CustodyKind): AlgorithmName {
  if (purpose === "encrypt") return custody === "portable" ? "AES-256-GCM" : "AES-256-OPAQUE";
  return DEFAULTS[purpose];
}

const DEFAULTS = {
  sign: "EC-P256-SHA256",
  mac: "HMAC-SHA-256",
  wrap: "AES-KWP",
  agree: "ECDH-P256",
  kem: "ML-KEM-768",
} as const satisfies Record<Exclude<Purpose, "encrypt">, AlgorithmName>;
