import { createPublicKey } from "node:crypto";
import { protos } from "@google-cloud/kms";
import { rowOf } from "../algorithms.ts";
import { checksumOf } from "../checksums.ts";
import { invalidArgument } from "../failure.ts";
import { nameIn, type Operation, type Operations } from "../methods.ts";
import { materialOf, versionToUse } from "../resolve.ts";

const { PublicKeyFormat } = protos.google.cloud.kms.v1.PublicKey;

/** Without a format: PEM in `pem`, and a refusal for post-quantum keys. With one: bytes in `public_key`. */
const getPublicKey: Operation<"GetPublicKey"> = async (kms, request) => {
  const version = versionToUse(kms, request.name, ["ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "KEY_ENCAPSULATION"]);
  const format = nameIn(PublicKeyFormat, request.publicKeyFormat);
  const { publicBytes } = rowOf(version.algorithm);
  if ((format === "NIST_PQC") !== (publicBytes !== undefined) || format === "XWING_RAW_BYTES") {
    throw invalidArgument(`public_key_format ${format} is not supported for ${version.algorithm}.`);
  }
  const { name, algorithm, protectionLevel } = version;
  const common = { name, algorithm, protectionLevel, publicKeyFormat: request.publicKeyFormat };
  const key = createPublicKey(await materialOf(version)());
  const der = key.export({ type: "spki", format: "der" });
  const pem = key.export({ type: "spki", format: "pem" }).toString();
  if (format === "PUBLIC_KEY_FORMAT_UNSPECIFIED") return { ...common, pem, pemCrc32c: checksumOf(Buffer.from(pem)) };
  const raw = publicBytes === undefined ? der : der.subarray(der.length - publicBytes);
  const data = format === "PEM" ? Buffer.from(pem) : raw;
  return { ...common, publicKey: { data, crc32cChecksum: checksumOf(data) } };
};

export const publicKeyOperations: Pick<Operations, "GetPublicKey"> = { GetPublicKey: getPublicKey };
