import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyClient } from "@azure/keyvault-keys";
import { expect } from "vitest";
import type { Sources } from "#core/clock.ts";
import type { Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { Secret } from "#core/secret.ts";
import { azureKeyVault, azureManagedHsm } from "#providers/azure-key-vault/index.ts";
import type { AzureCredentials } from "#providers/azure-key-vault/options.ts";
import { type AzureKeyVaultFake, openAzureKeyVaultFake } from "../../../fakes/azure-key-vault/fake.ts";

type Fixed = {
  readonly retentionDays?: number;
  /** What the configuration says of it. */
  readonly configuredDays?: number;
  readonly kind?: "vault" | "managed-hsm";
  readonly hardwareProtected?: boolean;
};

/** A fake, adapters before it, and one clock for all: what the adapter waits for goes by on it, at once. */
export type AzureStand = AsyncDisposable & {
  readonly fake: AzureKeyVaultFake;
  readonly sources: Sources;
  readonly open: (credentials?: { data?: AzureCredentials; control?: AzureCredentials }) => Promise<Provider>;
  readonly advance: (ms: number) => void;
  /** Microsoft's own client. */
  readonly keys: () => KeyClient;
  readonly unknownRef: NativeRef;
};

export async function openStand({
  kind = "vault",
  retentionDays = 90,
  configuredDays = retentionDays,
  hardwareProtected = false,
}: Fixed = {}): Promise<AzureStand> {
  let passedMs = 0;
  const clock = { now: () => Date.now() + passedMs, monotonicMs: () => performance.now() + passedMs };
  const fake = await openAzureKeyVaultFake({ clock, kind, retentionDays });
  const folder = mkdtempSync(join(tmpdir(), "azure-"));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, fake.ca);
  const advance = (ms: number): void => {
    passedMs += ms;
  };
  const sources: Sources = {
    clock,
    random: { bytes: (length) => randomBytes(length), kernelBytes: (length) => randomBytes(length) },
    scheduler: {
      after: (delayMs, run) => {
        const soon = setImmediate(() => {
          advance(delayMs);
          run();
        });
        return {
          [Symbol.dispose]: () => {
            clearImmediate(soon);
          },
        };
      },
    },
  };
  return {
    fake,
    sources,
    advance,
    open: async (given) => {
      const { token } = await fake.credential.getToken();
      const credentials = given ?? { data: { token: new Secret(token) } };
      const common = { name: "azure", dataFolder: "/nowhere", sources };
      const options = { retentionDays: configuredDays, ca, credentials };
      return kind === "vault"
        ? await azureKeyVault.open({ ...common, options: { ...options, vault: fake.vaultUrl, hardwareProtected } })
        : await azureManagedHsm.open({ ...common, options: { ...options, hsm: fake.vaultUrl } });
    },
    keys: () =>
      new KeyClient(fake.vaultUrl, fake.credential, {
        disableChallengeResourceVerification: true,
        tlsOptions: { ca: fake.ca },
        retryOptions: { maxRetries: 0 },
      }),
    unknownRef: `${fake.vaultUrl}/keys/no-such-key/${"0".repeat(32)}`,
    [Symbol.asyncDispose]: async () => {
      await fake.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A key of the vault that Claviger did not make. */
export async function makeForeignKey(stand: AzureStand): Promise<NativeRef> {
  const { id } = await stand.keys().createEcKey(`other-${randomBytes(4).toString("hex")}`, { hsm: true });
  return id ?? expect.fail("the new key has no identifier");
}
