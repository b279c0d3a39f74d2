import { createPublicKey } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, PublicKeys } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { algorithmOf, shapeOf } from "./algorithms.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { present, requireChecksum } from "./present.ts";

/** GetPublicKey: PEM for RSA and elliptic curves, bare bytes for post-quantum keys. */
export function createPublicKeys(client: KmsClient): PublicKeys {
  return {
    async publicKey(ref, call) {
      const version = await client.getVersion({ name: ref }, call);
      const algorithm = algorithmOf(String(version.algorithm ?? ""));
      if (algorithm === null) throw refused("unsupported: the public key of an algorithm that is not offered");
      return { value: await readSpki(client, { ref, algorithm }, call), requestId: null };
    },
  };
}

/** SPKI DER of a version's public half. */
export async function readSpki(
  client: KmsClient,
  { ref, algorithm }: { readonly ref: NativeRef; readonly algorithm: AlgorithmName },
  call: CallContext,
): Promise<Buffer> {
  const { oid } = shapeOf(algorithm);
  const answer = await client.getPublicKey(
    { name: ref, ...(oid === undefined ? {} : { publicKeyFormat: "NIST_PQC" as const }) },
    call,
  );
  if (oid !== undefined) {
    const bytes = present(answer.publicKey?.data, "public_key") as Uint8Array;
    requireChecksum(bytes, answer.publicKey?.crc32cChecksum, "public_key");
    return spkiOf(oid, bytes);
  }
  const pem = present(answer.pem, "pem");
  requireChecksum(Buffer.from(pem, "utf8"), answer.pemCrc32c, "pem");
  try {
    return createPublicKey(pem).export({ format: "der", type: "spki" });
  } catch (error) {
    throw new ProviderError({ failure: "OUTAGE", detail: "an answer whose public key does not read" }, error);
  }
}

/** SubjectPublicKeyInfo (RFC 5280 § 4.1) around bare bytes, with an algorithm that has no parameters. */
function spkiOf(oid: string, bytes: Uint8Array): Buffer {
  const algorithm = der(0x30, der(0x06, encodeOid(oid)));
  return der(0x30, Buffer.concat([algorithm, der(0x03, Buffer.concat([Buffer.of(0), bytes]))]));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const octets = length < 0x80 ? [] : length < 0x100 ? [length] : [length >>> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, octets.length === 0 ? length : 0x80 | octets.length, ...octets), content]);
}

function encodeOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split(".").map(Number);
  return Buffer.from([first * 40 + second, ...rest].flatMap((arc) => base128(arc)));
}

function base128(arc: number): readonly number[] {
  const low = arc & 0x7f;
  return arc < 0x80 ? [low] : [...base128(arc >>> 7).map((octet) => octet | 0x80), low];
}
