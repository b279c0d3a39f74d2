import type { Random } from "#core/clock.ts";
import type { RandomSource } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { MAX_RANDOM_BYTES } from "./capabilities.ts";
import { unsupported } from "./errors.ts";

/** Random bytes from the kernel. */
export function localRandom(random: Random): RandomSource {
  return {
    randomBytes: async (length, call) =>
      await underSignal(call, async () => {
        if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM_BYTES) {
          throw unsupported(`${length} random bytes: wanted 1..${MAX_RANDOM_BYTES}`);
        }
        return await Promise.resolve({ value: random.kernelBytes(length), requestId: null });
      }),
  };
}
