import { ProviderError } from "#core/failures.ts";
import type { RandomSource } from "#core/provider.ts";
import { MAX_RANDOM_BYTES } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { takeBytes } from "./own-bytes.ts";
import { requestIdOf } from "./present.ts";

/** Random bytes of the service's HSMs. */
export function createRandomSource(client: KmsClient): RandomSource {
  return {
    async randomBytes(length, call) {
      if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM_BYTES) {
        throw refused(`unsupported: random bytes, wanted 1 to ${MAX_RANDOM_BYTES}`);
      }
      const answer = await client.generateRandom({ NumberOfBytes: length }, call);
      const value = takeBytes(answer.Plaintext, { field: "Plaintext", answer });
      if (value.length !== length)
        throw new ProviderError({ failure: "OUTAGE", detail: "another number of random bytes" });
      return { value, requestId: requestIdOf(answer) };
    },
  };
}
