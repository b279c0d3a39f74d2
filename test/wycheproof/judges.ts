import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { hkdfSha512 } from "#envelope/hkdf.ts";
import { verifySignature } from "#envelope/verify-signature.ts";
import type { VectorHsm } from "./hsm.ts";
import { ecPkcs8, seedPkcs8 } from "./keys.ts";
import type { WycheproofGroup, WycheproofVector } from "./schema.ts";

/**
 * What our code makes of a vector: `accepted` with the right output, `refused`, or `wrong` for another output. Null for a group or a vector
 * that no algorithm of ours covers, such as a truncated tag.
 */
export type Verdict = "accepted" | "refused" | "wrong" | null;

export type Judge = (input: {
  readonly hsm: VectorHsm;
  /** The algorithm of the file, in its own word. */
  readonly of: string;
  readonly group: WycheproofGroup;
  readonly vector: WycheproofVector;
}) => Promise<Verdict>;

const NONE = Buffer.alloc(0);

/** By the type of the group. */
export const JUDGES: Readonly<Record<string, Judge>> = {
  AeadTest: async ({ hsm, group, vector: { key = NONE, iv = NONE, aad = NONE, msg, ct = NONE, tag = NONE } }) => {
    const algorithm = named(`AES-${group.keySize}-GCM`);
    if (algorithm === undefined || group.ivSize !== 96 || group.tagSize !== 128) return null;
    const ref = await hsm.key(algorithm, key);
    if (ref === undefined) return "refused";
    const input = {
      ref,
      algorithm,
      ciphertext: Buffer.concat([iv, ct, tag]),
      context: { kind: "bytes", bytes: aad },
    } as const;
    return compare(await hsm.ask(async ({ cipher }, context) => await cipher.decrypt(input, context)), msg);
  },
  RsaesOaepDecrypt: async ({ hsm, group, vector: { ct = NONE, msg, label = NONE } }) => {
    const algorithm = named(`RSA-${group.keySize}-OAEP-${hashName(group.sha)}`);
    if (algorithm === undefined || group.mgfSha !== group.sha || label.length > 0) return null;
    const ref = await hsm.key(algorithm, group.privateKeyPkcs8 ?? NONE);
    if (ref === undefined) return "refused";
    const input = { ref, algorithm, ciphertext: ct, context: { kind: "none" } } as const;
    return compare(await hsm.ask(async ({ cipher }, context) => await cipher.decrypt(input, context)), msg);
  },
  KeywrapTest: async (input) => await judgeWrap(input),
  MacTest: async ({ hsm, of, group, vector: { key = NONE, msg: message = NONE, tag = NONE } }) => {
    const algorithm = named(`HMAC-SHA-${group.tagSize}`); // whole tags alone
    if (algorithm === undefined || of !== `HMACSHA${group.tagSize}` || key.length < 16) return null;
    const ref = await hsm.key(algorithm, key);
    if (ref === undefined) return "refused";
    const input = { ref, algorithm, message };
    const fits = await hsm.ask(async ({ mac }, context) => await mac.verifyMac({ ...input, mac: tag }, context));
    const made = await hsm.ask(async ({ mac }, context) => await mac.mac(input, context));
    if (made?.equals(tag) !== fits) return "wrong";
    return fits === true ? "accepted" : "refused";
  },
  HkdfTest: async ({ of, vector: { ikm: key = NONE, salt = NONE, info = NONE, size: length = 0, okm } }) => {
    if (of !== "HKDF-SHA-512" || key.length !== 32) return null; // all keys of ours have 32 bytes
    return await Promise.resolve(compare(derive({ key, salt, info, length }), okm));
  },
  EcdhTest: async ({ hsm, group, vector }) => {
    const shape = ECDH[group.curve ?? ""];
    if (shape === undefined) return null;
    const material = ecPkcs8(shape.curve, Buffer.from(evenHex(vector.private ?? ""), "hex"));
    return await judgeAgreement({ hsm, algorithm: shape.algorithm, material, vector });
  },
  XdhAsnComp: async ({ hsm, group, vector }) => {
    if (group.curve !== "curve25519") return null;
    const material = Buffer.from(vector.private ?? "", "hex");
    return await judgeAgreement({ hsm, algorithm: "X25519", material, vector });
  },
  MLKEMTest: async ({ hsm, group, vector: { seed = NONE, c: ciphertext = NONE, ek, K } }) => {
    const algorithm = named(group.parameterSet ?? "");
    if (algorithm === undefined) return null;
    if (seed.length > 120) return null; // no such DER of one length byte
    const ref = await hsm.key(algorithm, seedPkcs8(algorithm, seed));
    if (ref === undefined) return "refused";
    if (ek !== undefined && !(await hsm.publicKey(ref)).subarray(-ek.length).equals(ek)) return "wrong";
    const input = { ref, algorithm, ciphertext };
    return compare(
      await hsm.ask(async ({ encapsulation }, context) => await encapsulation.decapsulate(input, context)),
      K,
    );
  },
  MlDsaSign: async ({ hsm, group, vector: { msg, ctx = NONE, sig: signature = NONE } }) => {
    const algorithm = mlDsaOf(signature.length);
    if (algorithm === undefined || msg === undefined || ctx.length > 0) return null;
    const ref = await hsm.key(algorithm, seedPkcs8(algorithm, group.privateSeed ?? NONE));
    if (ref === undefined) return "refused";
    const input = { ref, algorithm, signable: { kind: "message", bytes: msg }, signature } as const;
    const fits = await hsm.ask(async ({ signer }, context) => await signer.verify(input, context));
    return fits === true ? "accepted" : "refused";
  },
  MlDsaVerify: async ({ group, vector: { ctx = NONE, ...vector } }) => {
    const algorithm = mlDsaOfKey(group.publicKeyDer?.length ?? 0);
    if (algorithm === undefined || ctx.length > 0) return null;
    return await judgeSignature({ algorithm, group, vector });
  },
  EddsaVerify: async ({ group, vector }) => await judgeSignature({ algorithm: "ED25519", group, vector }),
  EcdsaVerify: async ({ group, vector }) => await judgeSignature({ algorithm: ecdsaOf(group), group, vector }),
  EcdsaP1363Verify: async ({ group, vector }) =>
    await judgeSignature({ algorithm: ecdsaOf(group), group, vector, encoding: "raw" }),
  RsassaPssVerify: async ({ group, vector }) => {
    const algorithm = named(`RSA-${group.keySize}-PSS-${hashName(group.sha)}`);
    const isOurs = algorithm !== undefined && group.mgfSha === group.sha && group.sLen === digestBytes(algorithm);
    return isOurs ? await judgeSignature({ algorithm, group, vector }) : null;
  },
  RsassaPkcs1Verify: async ({ group, vector }) => {
    const algorithm = named(`RSA-${group.keySize}-PKCS1-${hashName(group.sha)}`);
    return await judgeSignature({ algorithm, group, vector });
  },
};

const WRAPS: Readonly<Record<string, AlgorithmName>> = { "AES-WRAP": "AES-KW", "AES-KWP": "AES-KWP" };

const judgeWrap: Judge = async ({ hsm, of, group, vector }) => {
  const { key = NONE, msg: material = NONE, ct: wrapped = NONE, result } = vector;
  const algorithm = WRAPS[of];
  if (algorithm === undefined || group.keySize !== 256) return null;
  const ref = await hsm.key(algorithm, key);
  if (ref === undefined) return "refused";
  const input = { ref, algorithm };
  const opened = await hsm.ask(
    async ({ materialWrapper }, context) => await materialWrapper.unwrapMaterial({ ...input, wrapped }, context),
  );
  const verdict = compare(opened, material);
  if (verdict !== "accepted" || result !== "valid") return verdict;
  const made = await hsm.ask(
    async ({ materialWrapper }, context) => await materialWrapper.wrapMaterial({ ...input, material }, context),
  );
  return compare(made, wrapped) === "accepted" ? "accepted" : "wrong";
};

type Agreement = {
  readonly hsm: VectorHsm;
  readonly algorithm: AlgorithmName;
  readonly material: Buffer;
  readonly vector: WycheproofVector;
};

async function judgeAgreement({ hsm, algorithm, material, vector }: Agreement): Promise<Verdict> {
  const { public: peerPublicKey = NONE, shared } = vector;
  const ref = await hsm.key(algorithm, material);
  if (ref === undefined) return "refused";
  const input = { ref, algorithm, peerPublicKey };
  return compare(await hsm.ask(async ({ agreement }, context) => await agreement.agree(input, context)), shared);
}

type SignatureVector = {
  readonly algorithm: AlgorithmName | undefined;
  readonly group: WycheproofGroup;
  readonly vector: WycheproofVector;
  readonly encoding?: "der" | "raw";
};

/** As a message and, where the algorithm takes one, as a digest: both have one answer. */
async function judgeSignature({ algorithm, group, vector, encoding = "der" }: SignatureVector): Promise<Verdict> {
  if (algorithm === undefined) return null;
  const publicKey = readSpki(group.publicKeyDer ?? NONE);
  if (publicKey === undefined) return "refused";
  const { msg: bytes = NONE, sig: signature = NONE } = vector;
  const of = { algorithm, publicKey, signature, encoding };
  const fits = verifySignature({ ...of, signable: { kind: "message", bytes } });
  const digest = hash(algorithmTraits(algorithm).hash ?? "sha256", bytes, "buffer");
  const digestFits = verifySignature({ ...of, signable: { kind: "digest", bytes: digest } });
  if (fits === "unsupported" || (digestFits !== "unsupported" && digestFits !== fits)) return "wrong";
  return await Promise.resolve(fits ? "accepted" : "refused");
}

function compare(output: Buffer | undefined, wanted: Buffer | undefined): Verdict {
  if (output === undefined) return "refused";
  return wanted !== undefined && output.equals(wanted) ? "accepted" : "wrong";
}

function derive(input: Parameters<typeof hkdfSha512>[0]): Buffer | undefined {
  try {
    return hkdfSha512(input);
  } catch {
    return undefined;
  }
}

function readSpki(key: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function named(name: string): AlgorithmName | undefined {
  return ALGORITHM_NAMES.find((one) => one === name);
}

function hashName(sha = ""): string {
  return sha.replace("-", "");
}

function digestBytes(algorithm: AlgorithmName): number {
  return hash(algorithmTraits(algorithm).hash ?? "", NONE, "buffer").length;
}

const Curve = /"curve":"(?<curve>\w+)"/u;

function ecdsaOf({ publicKey, sha }: WycheproofGroup): AlgorithmName | undefined {
  const curve = Curve.exec(JSON.stringify(publicKey) ?? "")?.groups?.["curve"] ?? "";
  const algorithm = ECDSA[curve];
  return algorithm?.endsWith(hashName(sha)) === true ? algorithm : undefined;
}

const ECDSA: Readonly<Record<string, AlgorithmName>> = {
  secp256r1: "EC-P256-SHA256",
  secp384r1: "EC-P384-SHA384",
  secp521r1: "EC-P521-SHA512",
  secp256k1: "EC-SECP256K1-SHA256",
};

const ECDH: Readonly<Record<string, { readonly algorithm: AlgorithmName; readonly curve: string }>> = {
  secp256r1: { algorithm: "ECDH-P256", curve: "prime256v1" },
  secp384r1: { algorithm: "ECDH-P384", curve: "secp384r1" },
  secp521r1: { algorithm: "ECDH-P521", curve: "secp521r1" },
};

function evenHex(text: string): string {
  return text.length % 2 === 0 ? text : `0${text}`;
}

/** FIPS 204, table 2. */
function mlDsaOf(signatureBytes: number): AlgorithmName | undefined {
  const names: Readonly<Record<number, AlgorithmName>> = { 2420: "ML-DSA-44", 3309: "ML-DSA-65", 4627: "ML-DSA-87" };
  return names[signatureBytes];
}

/** By the length of the SPKI: 22 bytes and the key. A key of another length is none. */
function mlDsaOfKey(spkiBytes: number): AlgorithmName | undefined {
  if (spkiBytes > 2500) return "ML-DSA-87";
  return spkiBytes > 1800 ? "ML-DSA-65" : "ML-DSA-44";
}
