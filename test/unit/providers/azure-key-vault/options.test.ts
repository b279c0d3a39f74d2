import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";
import { parseAzureKeyVaultOptions, parseAzureManagedHsmOptions } from "#providers/azure-key-vault/options.ts";

const vault = "https://payments.vault.azure.net";
const hsm = "https://payments.managedhsm.azure.net";
const local = "https://127.0.0.1:8443";
const data = { tenantId: "t", clientId: "c", clientSecret: "hush" };

function optionsOf<O>(parsed: ParsedOptions<O>): O {
  return parsed.ok ? parsed.options : expect.fail(JSON.stringify(parsed.problems));
}

function problemsOf(parsed: ParsedOptions<unknown>): string[] {
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("the options of a vault and of a managed hsm", () => {
  it("are a url, and nothing else that must be said", () => {
    expect(optionsOf(parseAzureKeyVaultOptions({ vault }))).toEqual({
      vault,
      hardwareProtected: false,
      retentionDays: 90,
    });
    expect(optionsOf(parseAzureManagedHsmOptions({ hsm }))).toEqual({ hsm, retentionDays: 90 });
  });

  it.for([
    { url: `${vault}/`, origin: vault },
    { url: "https://payments.vault.azure.net:443", origin: vault },
    { url: "https://p-1.vault.usgovcloudapi.net", origin: "https://p-1.vault.usgovcloudapi.net" },
    { url: "https://localhost:1", origin: "https://localhost:1" },
    { url: "https://[::1]:1", origin: "https://[::1]:1" },
  ])("take the vault $url", ({ url, origin }) => {
    expect(optionsOf(parseAzureKeyVaultOptions({ vault: url })).vault).toBe(origin);
  });

  it("take each form of credentials, and wrap the secrets", () => {
    const forms = [
      data,
      { ...data, clientSecret: new Secret("hush") },
      { workloadIdentity: {} },
      { workloadIdentity: { tenantId: "t", clientId: "c", tokenFile: "/run/token" } },
      { managedIdentity: {} },
      { managedIdentity: { clientId: "c" } },
    ];
    for (const form of forms) {
      const { credentials } = optionsOf(
        parseAzureKeyVaultOptions({ vault, credentials: { data: form, control: form } }),
      );
      expect(Object.keys(credentials?.data ?? {})).toEqual(Object.keys(form));
      expect(inspect(credentials, { depth: 9 })).not.toContain("hush");
      const given = credentials?.control ?? expect.fail();
      if ("clientSecret" in given) expect(unsafeRevealSecret(given.clientSecret)).toBe("hush");
    }
  });

  it("take a fixed token and certificates of one's own on this machine", () => {
    const input = { vault: local, ca: "ca.pem", credentials: { data: { token: "hush" } } };
    const { credentials, ca } = optionsOf(parseAzureKeyVaultOptions(input));
    expect([Object.keys(credentials?.data ?? {}), ca]).toEqual([["token"], "ca.pem"]);
  });
});

describe("options that are refused", () => {
  const wanted = "wanted an https url without path such as https://v.vault.azure.net";

  it.for([
    ["nothing", undefined, /^: Invalid input/u],
    ["no vault", {}, /^vault: wanted an https url/u],
    ["a number", { vault: 7 }, /^vault: wanted an https url/u],
    ["http", { vault: "http://127.0.0.1:1" }, /^vault: wanted an https url/u],
    ["a path", { vault: `${vault}/keys` }, /^vault: wanted/u],
    ["somebody in it", { vault: "https://me@payments.vault.azure.net" }, /^vault: wanted/u],
    ["another host", { vault: "https://payments.vault.azure.net.evil.example" }, /^vault: wanted/u],
    ["another port", { vault: "https://payments.vault.azure.net:8443" }, /^vault: wanted/u],
    ["a managed hsm", { vault: hsm }, /^vault: wanted/u],
    ["the cloud of China", { vault: "https://payments.vault.azure.cn" }, /^vault: wanted/u],
    ["an unknown member", { vault, valt: 1 }, /^valt: no such option$/u],
    [
      "fewer days than the service keeps",
      { vault, retentionDays: 6 },
      /^retentionDays: wanted whole days from 7 to 90$/u,
    ],
    ["half days", { vault, retentionDays: 7.5 }, /^retentionDays: wanted whole days/u],
    ["a word for a flag", { vault, hardwareProtected: "yes" }, /^hardwareProtected: wanted true or false$/u],
    [
      "no credentials in credentials",
      { vault, credentials: { data: {} } },
      /^credentials\.data: wanted a client secret/u,
    ],
    [
      "two forms at once",
      { vault, credentials: { data: { ...data, managedIdentity: {} } } },
      /^credentials\.data\.\w+: no such option$/u,
    ],
    [
      "a form and half another",
      { vault, credentials: { data: { tenantId: "t" } } },
      /^credentials\.data\.clientId: wanted a client id$/u,
    ],
    [
      "an empty secret",
      { vault, credentials: { data: { ...data, clientSecret: "" } } },
      /^credentials\.data\.clientSecret: wanted a secret$/u,
    ],
    [
      "an unknown member within",
      { vault, credentials: { data: { managedIdentity: { id: "x" } } } },
      /^credentials\.data\.managedIdentity\.id: no such option$/u,
    ],
    [
      "a fixed token for the cloud",
      { vault, credentials: { data: { token: "x" } } },
      /^credentials\.data\.token: a fixed token is for a service on this machine$/u,
    ],
    ["certificates for the cloud", { vault, ca: "ca.pem" }, /^ca: certificates of your own/u],
  ] as const)("are %s", ([, input, problem]) => {
    expect(problemsOf(parseAzureKeyVaultOptions(input)).join("\n")).toMatch(new RegExp(problem.source, "mu"));
  });

  it("are told all at once", () => {
    const input = { vault: "x", retentionDays: 1, hardwareProtected: 1, credentials: { data: 1, other: 2 }, more: 3 };
    const problems = problemsOf(parseAzureKeyVaultOptions(input));
    expect(new Set(problems.map((problem) => problem.split(":", 1)[0]))).toEqual(
      new Set(["credentials.data", "credentials.other", "hardwareProtected", "more", "retentionDays", "vault"]),
    );
    expect(problems).toContain(`vault: ${wanted}`);
  });

  it("are those of a vault, for a managed hsm, which has no software keys", () => {
    expect(problemsOf(parseAzureManagedHsmOptions({ hsm, hardwareProtected: true }))).toEqual([
      "hardwareProtected: no such option",
    ]);
    expect(problemsOf(parseAzureManagedHsmOptions({ hsm: vault }))).toHaveLength(1);
    expect(problemsOf(parseAzureManagedHsmOptions({ vault })).toSorted()).toEqual([
      "hsm: wanted an https url without path such as https://h.managedhsm.azure.net",
      "vault: no such option",
    ]);
  });
});
