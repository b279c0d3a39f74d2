import { afterEach, describe, expect, it, vi } from "vitest";
import { Secret } from "#core/secret.ts";
import { openCredentials } from "#providers/azure-key-vault/credentials.ts";
import type { AzureCredentials } from "#providers/azure-key-vault/options.ts";

const clientSecret = new Secret("hush");

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("credentials", () => {
  it.for([
    [undefined, "DefaultAzureCredential"],
    [{ managedIdentity: {} }, "ManagedIdentityCredential"],
    [{ managedIdentity: { clientId: "c" } }, "ManagedIdentityCredential"],
    [{ workloadIdentity: { tenantId: "t", clientId: "c", tokenFile: "/run/token" } }, "WorkloadIdentityCredential"],
    [{ tenantId: "t", clientId: "c", clientSecret }, "ClientSecretCredential"],
  ] as const satisfies readonly (readonly [AzureCredentials | undefined, string])[])(
    "of the form %o are Microsoft's %s, a new one each time",
    async ([given, name]) => {
      const open = await openCredentials(given);
      const [first, second] = [open(), open()];
      expect([first.constructor.name, second.constructor.name]).toEqual([name, name]);
      expect(second).not.toBe(first);
    },
  );

  it("that are a fixed token give it, and it does not run out", async () => {
    const open = await openCredentials({ token: new Secret("fixed") });
    expect(await open().getToken("scope")).toEqual({ token: "fixed", expiresOnTimestamp: Number.MAX_SAFE_INTEGER });
  });

  it("of which something is missing are refused at the opening, in one line and without a secret", async () => {
    vi.stubEnv("AZURE_CLIENT_ID", "");
    const wrong: AzureCredentials[] = [
      { workloadIdentity: { tenantId: "t", tokenFile: "/run/token" } },
      { tenantId: "not/a/tenant", clientId: "c", clientSecret },
    ];
    for (const given of wrong) {
      const [outcome] = await Promise.allSettled([openCredentials(given)]);
      const reason: unknown = outcome.status === "rejected" ? outcome.reason : expect.fail("it was taken");
      expect(String(reason)).toMatch(/^Error: credentials: azure's source of tokens cannot be set up: [^\n]+$/u);
      expect(String(reason)).not.toContain("hush");
    }
  });
});
