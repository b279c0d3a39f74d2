import { createHash } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Signer } from "#core/provider.ts";
import { modulusBytes, shapeOf } from "./algorithms.ts";
import type { Require } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { keyOfRef } from "./names.ts";
import { checkedBytes, requireVerified, sum } from "./present.ts";

/** The first byte of DER, and the most that a signature on P-521 takes. */
const SEQUENCE = 0x30;
const MAX_ECDSA_BYTES = 139;
const DIGEST_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

/** AsymmetricSign: of a digest for RSA and ECDSA (DER on the wire too), of the data for the others. The service verifies nothing: whoever has the public key does. */
export function createSigner(client: KmsClient, requireRow: Require): Signer {
  return {
    async sign({ ref, algorithm, signable }, call) {
      const { kind, bytes } = signable;
      const row = requireRow("sign", algorithm, bytes.length);
      const { digest } = shapeOf(algorithm);
      if (kind === "digest" && (row.digests !== true || digest === undefined || bytes.length !== DIGEST_BYTES[digest]))
        throw refused(`unsupported: sign of a digest of ${bytes.length} bytes with ${algorithm}`);
      keyOfRef(ref);
      if (digest === undefined) {
        const answer = await client.asymmetricSign({ name: ref, data: bytes, dataCrc32c: sum(bytes) }, call);
        requireVerified(answer.verifiedDataCrc32c, "the data");
        return { value: signatureOf(answer, algorithm), requestId: null };
      }
      const hashed = kind === "digest" ? bytes : createHash(digest).update(bytes).digest();
      const answer = await client.asymmetricSign(
        { name: ref, digest: { [digest]: hashed }, digestCrc32c: sum(hashed) },
        call,
      );
      requireVerified(answer.verifiedDigestCrc32c, "the digest");
      return { value: signatureOf(answer, algorithm), requestId: null };
    },
    async verify({ algorithm }) {
      return await Promise.reject(refused(`unsupported: verify with ${algorithm}`));
    },
  };
}

type Answer = { readonly signature?: unknown; readonly signatureCrc32c?: unknown };

/** A version signs with its own algorithm, whatever we want of it: a signature of another form is no answer. */
function signatureOf({ signature, signatureCrc32c }: Answer, algorithm: AlgorithmName): Buffer {
  const bytes = checkedBytes(signature, signatureCrc32c, "signature");
  const modulus = modulusBytes(algorithm);
  const isEcdsa = algorithm.startsWith("EC-");
  if (modulus === undefined && !isEcdsa) return bytes; // the service itself refuses data for a key that signs digests
  if (modulus === undefined ? bytes[0] === SEQUENCE && bytes.length <= MAX_ECDSA_BYTES : bytes.length === modulus)
    return bytes;
  bytes.fill(0);
  throw refused(`the key does not sign with ${algorithm}`);
}
