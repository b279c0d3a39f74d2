/** What each key spec can do: `KeyUsage` to the algorithms under it. Names as in the SDK's enums. */
const SPECS = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] },
  RSA_2048: { ENCRYPT_DECRYPT: "oaep", SIGN_VERIFY: "rsa" },
  RSA_3072: { ENCRYPT_DECRYPT: "oaep", SIGN_VERIFY: "rsa" },
  RSA_4096: { ENCRYPT_DECRYPT: "oaep", SIGN_VERIFY: "rsa" },
  ECC_NIST_P256: { SIGN_VERIFY: ["ECDSA_SHA_256"], KEY_AGREEMENT: ["ECDH"] },
  ECC_NIST_P384: { SIGN_VERIFY: ["ECDSA_SHA_384"], KEY_AGREEMENT: ["ECDH"] },
  ECC_NIST_P521: { SIGN_VERIFY: ["ECDSA_SHA_512"], KEY_AGREEMENT: ["ECDH"] },
  ECC_SECG_P256K1: { SIGN_VERIFY: ["ECDSA_SHA_256"] },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ["ED25519_SHA_512", "ED25519_PH_SHA_512"] },
  HMAC_224: { GENERATE_VERIFY_MAC: ["HMAC_SHA_224"] },
  HMAC_256: { GENERATE_VERIFY_MAC: ["HMAC_SHA_256"] },
  HMAC_384: { GENERATE_VERIFY_MAC: ["HMAC_SHA_384"] },
  HMAC_512: { GENERATE_VERIFY_MAC: ["HMAC_SHA_512"] },
  ML_DSA_44: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_DSA_65: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_DSA_87: { SIGN_VERIFY: ["ML_DSA_SHAKE_256"] },
  ML_KEM_512: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  ML_KEM_768: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
  ML_KEM_1024: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
} as const satisfies Record<string, Partial<Record<KeyUsage, readonly string[] | "oaep" | "rsa">>>;

const GROUPS = {
  oaep: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
  rsa: [
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
  ],
} as const;

export const KEY_USAGES = [
  "ENCRYPT_DECRYPT",
  "SIGN_VERIFY",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];
export type KeySpec = keyof typeof SPECS;

export const KEY_SPECS = Object.keys(SPECS) as readonly KeySpec[];

/** The algorithms of a spec under a usage; none if the two do not go together. */
export const algorithmsOf = (spec: KeySpec, usage: KeyUsage): readonly string[] => {
  const usages: Partial<Record<KeyUsage, readonly string[] | "oaep" | "rsa">> = SPECS[spec];
  const algorithms = usages[usage] ?? [];
  return typeof algorithms === "string" ? GROUPS[algorithms] : algorithms;
};

/** The name under which DescribeKey and GetPublicKey list the algorithms of a usage. */
export const ALGORITHM_FIELDS = {
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  SIGN_VERIFY: "SigningAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
} as const satisfies Record<KeyUsage, string>;

/** Every algorithm that some spec has under a usage: the enum that a request is held to. */
export const allAlgorithms = (usage: KeyUsage): readonly string[] => [
  ...new Set(KEY_SPECS.flatMap((spec) => algorithmsOf(spec, usage))),
];
