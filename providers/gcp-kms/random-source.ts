import type { RandomSource } from "#core/provider.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { checkedBytes } from "./present.ts";

/** The service makes 8 to 1024 bytes at a time, in HSMs alone (proto, GenerateRandomBytesRequest). */
const LEAST_BYTES = 8;

export function createRandomSource(client: KmsClient, location: string): RandomSource {
  return {
    async randomBytes(length, call) {
      if (!Number.isInteger(length) || length < 1 || length > 1024)
        throw refused("unsupported: wanted 1 to 1024 random bytes");
      const lengthBytes = Math.max(length, LEAST_BYTES);
      const answer = await client.generateRandomBytes({ location, lengthBytes, protectionLevel: "HSM" }, call);
      const bytes = checkedBytes(answer.data, answer.dataCrc32c, "data");
      return { value: Buffer.from(Uint8Array.from(bytes.subarray(0, length)).buffer), requestId: null };
    },
  };
}
