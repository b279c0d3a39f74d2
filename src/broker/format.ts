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
