import type { KeyObject } from "node:crypto";
import { SIGNING } from "../../aws-kms/signing.ts";
import { rowOf } from "../algorithms.ts";
import { bytesOf, checksumOf, isVerified } from "../checksums.ts";
import { GrpcFailure, invalidArgument } from "../failure.ts";
import { refuseLargeData } from "../limits.ts";
import type { Operation, Operations, RequestOf } from "../methods.ts";
import { materialOf, versionToUse } from "../resolve.ts";
import type { Version } from "../state.ts";

const sign: Operation<"AsymmetricSign"> = async (kms, request) => {
  const digest = digestOf(request);
  const data = bytesOf(request.data);
  const verifiedDigestCrc32c = isVerified({ field: "digest", bytes: digest.bytes, crc: request.digestCrc32c });
  const verifiedDataCrc32c = isVerified({ field: "data", bytes: data, crc: request.dataCrc32c });
  const version = versionToUse(kms, request.name, ["ASYMMETRIC_SIGN"]);
  checkInput(version, { digest, data });
  const key = await materialOf(version)();
  const signature = digest.kind === undefined ? signWhole(version, key, data) : signDigest(version, key, digest.bytes);
  return {
    signature,
    signatureCrc32c: checksumOf(signature),
    verifiedDigestCrc32c,
    verifiedDataCrc32c,
    name: version.name,
    protectionLevel: version.protectionLevel,
  };
};

type Digest = { readonly kind: string | undefined; readonly bytes: Buffer };

const digestOf = ({ digest }: RequestOf<"AsymmetricSign">): Digest => {
  if (digest === null || digest === undefined) return { kind: undefined, bytes: Buffer.alloc(0) };
  const kind = (["sha256", "sha384", "sha512", "externalMu"] as const).find(
    (each) => Object.hasOwn(digest, each) && digest[each] !== null,
  );
  return { kind, bytes: kind === undefined ? Buffer.alloc(0) : bytesOf(digest[kind]) };
};

const checkInput = (version: Version, { digest, data }: { readonly digest: Digest; readonly data: Buffer }): void => {
  const wanted = rowOf(version.algorithm).digest;
  if (digest.kind !== undefined && data.length > 0) throw invalidArgument("digest and data must not both be set.");
  if (digest.kind !== wanted) {
    throw invalidArgument(`${version.algorithm} signs ${wanted === undefined ? "data" : `a ${wanted} digest`}.`);
  }
  if (wanted !== undefined && digest.bytes.length !== Number(wanted.slice("sha".length)) / 8) {
    throw invalidArgument(`digest.${wanted} has the wrong length ${digest.bytes.length}.`);
  }
  refuseLargeData(data);
};

const schemeOf = ({ algorithm }: Version): NonNullable<(typeof SIGNING)[string]> => {
  const scheme = SIGNING[rowOf(algorithm).scheme ?? ""];
  if (scheme === undefined) throw new GrpcFailure("INTERNAL", `${algorithm} has no scheme`);
  return scheme;
};

const signWhole = (version: Version, key: KeyObject, data: Buffer): Buffer => schemeOf(version).sign(key, data);

const signDigest = (version: Version, key: KeyObject, digest: Buffer): Buffer => {
  const signature = schemeOf(version).signDigest?.(key, digest);
  if (signature === undefined) throw new GrpcFailure("INTERNAL", `${version.algorithm} signs no digest`);
  return signature;
};

export const signatureOperations: Pick<Operations, "AsymmetricSign"> = { AsymmetricSign: sign };
