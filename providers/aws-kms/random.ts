import { ProviderError } from "#core/failures.ts";
import type { RandomSource } from "#core/provider.ts";
import { MAX_RANDOM_BYTES } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { presentBytes, requestIdOf } from "./present.ts";

/** Random bytes of the service's HSMs. */
export function createRandomSource(client: KmsClient): RandomSource {
  return {
    async randomBytes(length, call) {
      if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM_BYTES) {
        throw refused(`unsupported: random bytes, wanted 1 to ${MAX_RANDOM_BYTES}`);
      }
      const answer = await client.generateRandom({ NumberOfBytes: length }, call);
      const bytes = presentBytes(answer.Plaintext, { field: "Plaintext", answer });
      if (bytes.length !== length)
        throw new ProviderError({ failure: "OUTAGE", detail: "another number of random bytes" });
      const value = Buffer.alloc(length);
      value.set(bytes);
      bytes.fill(0); // the SDK's copy, which may lie in Node's pool
      return { value, requestId: requestIdOf(answer) };
    },
  };
}
