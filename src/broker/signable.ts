import { algorithmTraits, type AlgorithmName } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";
import type { CapabilityRow, Signable } from "#core/provider.ts";
import { digestOf } from "#envelope/public-key.ts";

/** What is to be signed or checked: exactly one of both (api.md § 7). */
export type SignableInput = { readonly message?: Buffer | undefined; readonly digest?: Buffer | undefined };

const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

/** The largest message of `sign`, `verify`, `mac` and `verify-mac`, in bytes. */
export const MAX_MESSAGE_BYTES = 524_288;

/**
 * Checks what a caller gave.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for both or neither, and for a digest of another length than the algorithm's hash;
 *   `UNSUPPORTED_COMBINATION` for a digest where the algorithm has no hash of its own
 */
export function toSignable({ message, digest }: SignableInput, algorithm: AlgorithmName): Signable {
  if (message !== undefined && digest !== undefined) throw wrong("digest", "conflict", "message or digest, not both");
  if (message !== undefined) {
    if (message.length > MAX_MESSAGE_BYTES)
      throw wrong("message", "length", `wanted at most ${MAX_MESSAGE_BYTES} bytes, got ${message.length}`);
    return { kind: "message", bytes: message };
  }
  if (digest === undefined) throw wrong("message", "required", "wanted message or digest");
  const { hash } = algorithmTraits(algorithm);
  const wanted = DIGEST_BYTES[hash ?? ""];
  if (wanted === undefined) {
    throw new KmsError("UNSUPPORTED_COMBINATION", `digest: ${algorithm} signs messages, not digests`, {
      metadata: { algorithm },
      errors: [{ pointer: "/digest", code: "conflict", detail: "the algorithm of the key signs messages alone" }],
    });
  }
  if (digest.length !== wanted)
    throw wrong("digest", "length", `wanted ${wanted} bytes (${hash ?? ""}), got ${digest.length}`);
  return { kind: "digest", bytes: digest };
}

/**
 * What a provider is sent: a message that is too long for it goes as its digest where it takes digests.
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION`, `INVALID_ARGUMENT`
 */
export function fitSignable(signable: Signable, row: CapabilityRow): Signable {
  if (signable.kind === "digest") {
    if (row.digests === true) return signable;
    throw new KmsError(
      "UNSUPPORTED_COMBINATION",
      `digest: the provider of the key wants messages for ${row.algorithm}`,
      {
        metadata: { algorithm: row.algorithm },
        errors: [{ pointer: "/digest", code: "conflict", detail: "the provider of the key wants the message" }],
      },
    );
  }
  if (signable.bytes.length <= row.maxInputBytes) return signable;
  const { hash } = algorithmTraits(row.algorithm);
  if (row.digests === true && hash !== undefined) return { kind: "digest", bytes: digestOf(hash, signable.bytes) };
  throw wrong("message", "length", `the provider of the key takes at most ${row.maxInputBytes} bytes`);
}

function wrong(field: "message" | "digest", code: "conflict" | "required" | "length", detail: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `${field}: ${detail}`, { errors: [{ pointer: `/${field}`, code, detail }] });
}
