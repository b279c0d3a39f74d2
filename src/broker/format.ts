import type { AlgorithmName } from "#core/algorithms.ts";
import { hasPublicKey } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";

/** In which form a ciphertext goes in and out: our frame, or the provider's own bytes. */
export type CiphertextFormat = "claviger" | "native";

/** @throws {KmsError} `UNSUPPORTED_COMBINATION`: a portable key has no format of a provider */
export function requireFrames(format: CiphertextFormat | undefined): void {
  if (format !== "native") return;
  throw new KmsError("UNSUPPORTED_COMBINATION", "format: native is for keys of native and replicated custody", {
    metadata: { format },
    errors: [{ pointer: "/format", code: "conflict", detail: "a portable key has no format of a provider" }],
  });
}

/**
 * Bytes that whoever has the public key can make have no frame (keys.md, What comes out).
 * @throws {KmsError} `UNSUPPORTED_COMBINATION`
 */
export function requireFormatOf(algorithm: AlgorithmName, format: CiphertextFormat = "claviger"): void {
  if (format === "native" || !hasPublicKey(algorithm)) return;
  throw new KmsError("UNSUPPORTED_COMBINATION", `format: ${algorithm} gives and takes bare bytes, ask for native`, {
    metadata: { format, algorithm },
    errors: [{ pointer: "/format", code: "conflict", detail: "wanted native for keys with a public half" }],
    help: "send format native; the bytes are what everybody with the public key can make",
  });
}
