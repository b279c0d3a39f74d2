import type { AlgorithmName } from "#core/algorithms.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { type PublicKeyObject, toJwk, toPem } from "#envelope/public-key.ts";
import type { Caller } from "./caller.ts";
import { resolveKey, versionOf } from "./key-reference.ts";
import { primaryVersion } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { kidOf } from "./public-key-objects.ts";

/** The public half of one version of a key. */
export type PublicKey = {
  readonly keyVersion: number;
  readonly kid: string;
  readonly provider: string;
  readonly algorithm: AlgorithmName;
  /** SPKI DER. */
  readonly publicKey: Buffer;
  readonly pem: string;
  /** RFC 7517 with `kid`, `alg` and `use`; null for keys that JOSE has no form for. */
  readonly jwk: Readonly<Record<string, unknown>> | null;
};

/**
 * The public key of a version: the one that is named, the primary one, or the latest while none is.
 * @throws {KmsError} `KEY_NOT_FOUND`; `UNSUPPORTED_COMBINATION` for a secret key
 */
export async function getPublicKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  version?: number,
): Promise<PublicKey> {
  const { key, version: named } = await resolveKey(
    parts,
    caller,
    version === undefined ? reference : `${reference}@${version}`,
  );
  const number = named ?? primaryVersion(parts, key) ?? key.latestVersion;
  if (key.latestVersion === 0) throw new KmsError("KEY_NOT_ACTIVE", "the key awaits its material");
  const [first] = publicKeysOf(parts, key, versionOf(parts.catalog, key, number).version);
  if (first !== undefined) return first;
  throw new KmsError("UNSUPPORTED_COMBINATION", "the key has no public half", {
    metadata: { keyId: key.id, algorithm: key.algorithm },
    help: "keys of purpose sign, agree and kem have one, and RSA keys",
  });
}

/**
 * The keys whose signatures may be trusted, newest first (RFC 7517 § 5): versions that may verify now, of a key that is not compromised. With
 * `all` every version that has a public key.
 */
export async function getJwks(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  { all }: { readonly all: boolean },
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { key } = await resolveKey(parts, caller, reference);
  const now = parts.sources.clock.now();
  const trusted = (record: Parameters<typeof effectiveLifecycle>[0]): boolean => {
    const { state, stateReason } = effectiveLifecycle(record, now);
    return state === "active" || (state === "deactivated" && TRUSTED.has(stateReason ?? ""));
  };
  if (!all && !trusted(key)) return [];
  return parts.catalog
    .versions(key.id)
    .toReversed()
    .filter((version) => all || trusted(version))
    .flatMap(({ version }) => publicKeysOf(parts, key, version))
    .flatMap(({ jwk }) => (jwk === null ? [] : [jwk]));
}

/** Reasons for which a key makes no new signatures, while the old ones stay good. */
const TRUSTED: ReadonlySet<string> = new Set(["expired", "superseded"]);

export function publicKeysOf(parts: BrokerParts, key: KeyRecord, version: number): readonly PublicKey[] {
  return parts.catalog.bindings(key.id, version).flatMap((binding) => {
    if (binding.publicKey === null) return [];
    const object = parts.publicKeys.of(binding);
    const kid = kidOf(binding);
    const provider =
      parts.fleet.memberByUid(binding.providerUid)?.name ?? parts.catalog.provider(binding.providerUid)?.name;
    return [
      {
        keyVersion: version,
        kid,
        provider: provider ?? binding.providerUid,
        algorithm: key.algorithm,
        publicKey: Buffer.from(binding.publicKey, "base64"),
        pem: toPem(object),
        jwk: jwkOf(object, { kid, algorithm: key.algorithm }),
      },
    ];
  });
}

function jwkOf(
  object: PublicKeyObject,
  { kid, algorithm }: { readonly kid: string; readonly algorithm: AlgorithmName },
): Readonly<Record<string, unknown>> | null {
  const alg = JOSE[algorithm];
  const jwk = alg === undefined ? undefined : toJwk(object);
  if (jwk === undefined) return null;
  return { ...jwk, kid, alg, use: algorithm.includes("OAEP") || isAgreement(algorithm) ? "enc" : "sig" };
}

function isAgreement(algorithm: AlgorithmName): boolean {
  return algorithm.startsWith("ECDH-") || algorithm === "X25519";
}

/** Names of RFC 7518, RFC 8037, RFC 8812 and RFC 9864. */
const JOSE: Partial<Readonly<Record<AlgorithmName, string>>> = {
  ...eachSize("OAEP-SHA1", "RSA-OAEP"),
  ...eachSize("OAEP-SHA256", "RSA-OAEP-256"),
  ...eachSize("OAEP-SHA512", "RSA-OAEP-512"),
  ...eachSize("PSS-SHA256", "PS256"),
  ...eachSize("PSS-SHA384", "PS384"),
  ...eachSize("PSS-SHA512", "PS512"),
  ...eachSize("PKCS1-SHA256", "RS256"),
  ...eachSize("PKCS1-SHA384", "RS384"),
  ...eachSize("PKCS1-SHA512", "RS512"),
  "EC-P256-SHA256": "ES256",
  "EC-P384-SHA384": "ES384",
  "EC-P521-SHA512": "ES512",
  "EC-SECP256K1-SHA256": "ES256K",
  ED25519: "Ed25519",
  "ML-DSA-44": "ML-DSA-44",
  "ML-DSA-65": "ML-DSA-65",
  "ML-DSA-87": "ML-DSA-87",
  "ECDH-P256": "ECDH-ES",
  "ECDH-P384": "ECDH-ES",
  "ECDH-P521": "ECDH-ES",
  X25519: "ECDH-ES",
};

function eachSize(suffix: string, alg: string): Readonly<Record<string, string>> {
  return Object.fromEntries(["2048", "3072", "4096"].map((bits) => [`RSA-${bits}-${suffix}`, alg]));
}
