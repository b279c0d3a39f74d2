import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { CKA, CKF, CKK, CKM } from "./constants.ts";
import type { Attribute, HashName, Mechanism, MechanismFacts, TokenFacts, Usage } from "./wire.ts";

/** How keys of an algorithm are made, and what makes and opens with them. */
export type Spec = {
  readonly generate: number;
  readonly secret?: readonly Attribute[];
  readonly pair?: { readonly public: readonly Attribute[]; readonly private: readonly Attribute[] };
  /** Usage attributes: those that protect, those that process. */
  readonly protects: readonly Usage[];
  readonly processes: readonly Usage[];
  /** Each must be among the token's mechanisms, for keys of `bits`, with this flag. */
  readonly needs: readonly { readonly type: number; readonly flag: number; readonly bits?: number }[];
};

const SECRET: readonly Attribute[] = [
  [CKA.PRIVATE, true],
  [CKA.SENSITIVE, true],
  [CKA.EXTRACTABLE, false],
];
/** DER of the curves' object identifiers, and Ed25519's name as SoftHSM and others take it (PKCS #11 3.0 § 6.3.5: PrintableString). */
const CURVES: Readonly<Record<string, { readonly params: Buffer; readonly bits: number }>> = {
  P256: { params: Buffer.from("06082a8648ce3d030107", "hex"), bits: 256 },
  P384: { params: Buffer.from("06052b81040022", "hex"), bits: 384 },
  P521: { params: Buffer.from("06052b81040023", "hex"), bits: 521 },
  SECP256K1: { params: Buffer.from("06052b8104000a", "hex"), bits: 256 },
  ED25519: { params: Buffer.from("06032b6570", "hex"), bits: 255 },
};
const HMACS: Readonly<Record<string, readonly [mechanism: number, keyBytes: number]>> = {
  "HMAC-SHA-224": [CKM.SHA224_HMAC, 28],
  "HMAC-SHA-256": [CKM.SHA256_HMAC, 32],
  "HMAC-SHA-384": [CKM.SHA384_HMAC, 48],
  "HMAC-SHA-512": [CKM.SHA512_HMAC, 64],
};

/** The spec of an algorithm, if there is one in PKCS #11; what a token has of it is another question ({@link isOffered}). */
export function specOf(algorithm: AlgorithmName, kwp: number | null = null): Spec | undefined {
  const aes = /^AES-(\d+)-(?:GCM|OPAQUE)$/u.exec(algorithm)?.[1];
  if (aes !== undefined) return aesSpec(Number(aes) / 8, ["encrypt"], ["decrypt"], GCM_NEEDS);
  if (algorithm === "AES-KW") return wrapSpec(CKM.AES_KEY_WRAP);
  if (algorithm === "AES-KWP") return kwp === null ? undefined : wrapSpec(kwp);
  const hmac = HMACS[algorithm];
  if (hmac !== undefined) return macSpec(hmac);
  const rsa = /^RSA-(\d+)-(OAEP|PSS|PKCS1)-/u.exec(algorithm);
  if (rsa !== null) return rsaSpec(algorithm, Number(rsa[1]), rsa[2] === "OAEP");
  return ecSpec(algorithm);
}

/** Whether a token has everything that a spec needs. */
export function isOffered({ mechanisms }: TokenFacts, { needs }: Spec): boolean {
  return needs.every(({ type, flag, bits }) =>
    mechanisms.some(
      (one: MechanismFacts) =>
        one.type === type &&
        (one.flags & flag) !== 0 &&
        (bits === undefined || one.max === 0 || (bits >= one.min && bits <= one.max)),
    ),
  );
}

function aesSpec(bytes: number, protects: readonly Usage[], processes: readonly Usage[], needs: Spec["needs"]): Spec {
  return {
    generate: CKM.AES_KEY_GEN,
    secret: [...SECRET, [CKA.KEY_TYPE, CKK.AES], [CKA.VALUE_LEN, bytes], ...usages([...protects, ...processes])],
    protects,
    processes,
    needs: [{ type: CKM.AES_KEY_GEN, flag: CKF.GENERATE }, ...needs],
  };
}

const GCM_NEEDS: Spec["needs"] = [
  { type: CKM.AES_GCM, flag: CKF.ENCRYPT },
  { type: CKM.AES_GCM, flag: CKF.DECRYPT },
];

function wrapSpec(type: number): Spec {
  return aesSpec(
    32,
    ["wrap"],
    ["unwrap"],
    [
      { type, flag: CKF.WRAP },
      { type, flag: CKF.UNWRAP },
    ],
  );
}

function macSpec([type, bytes]: readonly [number, number]): Spec {
  return {
    generate: CKM.GENERIC_SECRET_KEY_GEN,
    secret: [...SECRET, [CKA.KEY_TYPE, CKK.GENERIC_SECRET], [CKA.VALUE_LEN, bytes], ...usages(["sign", "verify"])],
    protects: ["sign"],
    processes: ["verify"],
    needs: [
      { type: CKM.GENERIC_SECRET_KEY_GEN, flag: CKF.GENERATE },
      { type, flag: CKF.SIGN },
      { type, flag: CKF.VERIFY },
    ],
  };
}

function rsaSpec(algorithm: AlgorithmName, bits: number, isOaep: boolean): Spec {
  const [protects, processes]: [Usage, Usage] = isOaep ? ["encrypt", "decrypt"] : ["sign", "verify"];
  const types = isOaep ? [CKM.RSA_PKCS_OAEP] : signatureMechanisms(algorithm);
  const [protectFlag, processFlag] = isOaep ? [CKF.ENCRYPT, CKF.DECRYPT] : [CKF.SIGN, CKF.VERIFY];
  const publicUsage: Usage = isOaep ? "encrypt" : "verify";
  const privateUsage: Usage = isOaep ? "decrypt" : "sign";
  return {
    generate: CKM.RSA_PKCS_KEY_PAIR_GEN,
    pair: {
      public: [[CKA.MODULUS_BITS, bits], [CKA.PUBLIC_EXPONENT, Buffer.from([1, 0, 1])], ...usages([publicUsage])],
      private: [...SECRET, ...usages([privateUsage])],
    },
    protects: [protects],
    processes: [processes],
    needs: [
      { type: CKM.RSA_PKCS_KEY_PAIR_GEN, flag: CKF.GENERATE_KEY_PAIR, bits },
      ...types.flatMap((type) => [
        { type, flag: protectFlag },
        { type, flag: processFlag },
      ]),
    ],
  };
}

function ecSpec(algorithm: AlgorithmName): Spec | undefined {
  const name = /^(?:EC-|ECDH-)?(P256|P384|P521|SECP256K1|ED25519)(?:-|$)/u.exec(algorithm)?.[1];
  const curve = CURVES[name ?? ""];
  if (curve === undefined) return undefined;
  const agrees = algorithm.startsWith("ECDH-");
  const isEdwards = name === "ED25519";
  const generate = isEdwards ? CKM.EC_EDWARDS_KEY_PAIR_GEN : CKM.EC_KEY_PAIR_GEN;
  const type = agrees ? CKM.ECDH1_DERIVE : isEdwards ? CKM.EDDSA : CKM.ECDSA;
  const bits = isEdwards ? {} : { bits: curve.bits };
  return {
    generate,
    pair: {
      public: [[CKA.EC_PARAMS, curve.params], ...usages(agrees ? [] : ["verify"])],
      private: [...SECRET, ...usages(agrees ? ["derive"] : ["sign"])],
    },
    protects: agrees ? [] : ["sign"],
    processes: agrees ? ["derive"] : ["verify"],
    needs: [
      { type: generate, flag: CKF.GENERATE_KEY_PAIR, ...bits },
      ...(agrees
        ? [{ type, flag: CKF.DERIVE }]
        : [
            { type, flag: CKF.SIGN },
            { type, flag: CKF.VERIFY },
          ]),
    ],
  };
}

/** The usage attributes that a new key has: false is said too, for tokens whose defaults are generous. */
function usages(on: readonly Usage[]): readonly Attribute[] {
  return on.map((name): Attribute => [USAGE_ATTRIBUTES[name], true]);
}

const USAGE_ATTRIBUTES: Readonly<Record<Usage, number>> = {
  encrypt: CKA.ENCRYPT,
  decrypt: CKA.DECRYPT,
  sign: CKA.SIGN,
  verify: CKA.VERIFY,
  wrap: CKA.WRAP,
  unwrap: CKA.UNWRAP,
  derive: CKA.DERIVE,
};

/** node:crypto's names of the hashes that RSA signatures take here, with their lengths. */
const RSA_HASHES: Readonly<Record<string, readonly [HashName, pkcs1: number, pss: number, bytes: number]>> = {
  sha256: ["sha256", CKM.SHA256_RSA_PKCS, CKM.SHA256_RSA_PKCS_PSS, 32],
  sha384: ["sha384", CKM.SHA384_RSA_PKCS, CKM.SHA384_RSA_PKCS_PSS, 48],
  sha512: ["sha512", CKM.SHA512_RSA_PKCS, CKM.SHA512_RSA_PKCS_PSS, 64],
};

/** DigestInfo before the digest (RFC 8017 § 9.2, note 1). */
export const DIGEST_INFO: Readonly<Record<string, Buffer>> = {
  sha256: Buffer.from("3031300d060960864801650304020105000420", "hex"),
  sha384: Buffer.from("3041300d060960864801650304020205000430", "hex"),
  sha512: Buffer.from("3051300d060960864801650304020305000440", "hex"),
};

function signatureMechanisms(algorithm: AlgorithmName): readonly number[] {
  const [, pkcs1 = -1, pss = -1] = RSA_HASHES[algorithmTraits(algorithm).hash ?? ""] ?? [];
  return algorithm.includes("-PSS-") ? [pss] : [pkcs1, CKM.RSA_PKCS]; // the second one signs digests
}

/** What signs a message of an algorithm; null for those whose digest is made here (ECDSA) or that take the message alone (EdDSA). */
export function messageMechanism(algorithm: AlgorithmName): Mechanism {
  const [pss, , , bytes = 0] = RSA_HASHES[algorithmTraits(algorithm).hash ?? ""] ?? [];
  const [type] = signatureMechanisms(algorithm);
  if (algorithm.includes("-PSS-") && pss !== undefined) return { type: type ?? -1, pss, saltBytes: bytes };
  if (algorithm.includes("-PKCS1-")) return { type: type ?? -1 };
  return { type: algorithm === "ED25519" ? CKM.EDDSA : CKM.ECDSA };
}

export function hmacMechanism(algorithm: AlgorithmName): Mechanism {
  return { type: HMACS[algorithm]?.[0] ?? -1 };
}
