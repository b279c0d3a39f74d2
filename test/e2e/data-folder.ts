import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for the data of several gateways, at once or one after another; gone with the test. */
export type DataFolder = AsyncDisposable & { readonly path: string };

export async function openDataFolder(): Promise<DataFolder> {
  const parent = await mkdtemp(join(tmpdir(), "claviger-e2e-data-"));
  return {
    path: join(parent, "data"),
    async [Symbol.asyncDispose]() {
      await rm(parent, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
