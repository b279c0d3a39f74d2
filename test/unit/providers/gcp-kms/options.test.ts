import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "#core/secret.ts";
import { parseGcpKmsOptions } from "#providers/gcp-kms/options.ts";

const keyRing = "projects/example/locations/europe-west1/keyRings/claviger";

function optionsOf(input: unknown) {
  const parsed = parseGcpKmsOptions(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.options;
}

function problemsOf(input: unknown): string[] {
  const parsed = parseGcpKmsOptions(input);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("options", () => {
  it("are a key ring, and nothing else that must be said", () => {
    expect(optionsOf({ keyRing })).toEqual({ keyRing, protectionLevel: "SOFTWARE" });
  });

  it("take secrets as text or wrapped, and wrap them", () => {
    const { credentials } = optionsOf({
      keyRing,
      credentials: { data: { serviceAccount: '{"hush":1}' }, control: { serviceAccount: new Secret("hush") } },
    });
    expect(credentials?.data?.serviceAccount).toBeInstanceOf(Secret);
    expect(inspect(credentials, { depth: 9 })).not.toContain("hush");
  });

  it("take a fixed token for an endpoint on this machine", () => {
    const endpoint = "https://localhost:8443";
    expect(optionsOf({ keyRing, endpoint, credentials: { data: { token: "t" } } }).endpoint).toBe(endpoint);
  });
});

describe("options that are refused", () => {
  it.for([
    ["no key ring", {}, "keyRing: wanted projects/PROJECT/locations/LOCATION/keyRings/RING"],
    ["a key in its place", { keyRing: `${keyRing}/cryptoKeys/k` }, /^keyRing: wanted projects/u],
    ["a path that climbs", { keyRing: "projects/a/locations/../keyRings/r" }, /^keyRing: wanted projects/u],
    ["another level", { keyRing, protectionLevel: "EXTERNAL" }, "protectionLevel: wanted SOFTWARE or HSM"],
    ["plain http elsewhere", { keyRing, endpoint: "http://kms.internal" }, /^endpoint: wanted an https url/u],
    ["an endpoint with a path", { keyRing, endpoint: "https://kms.internal/v1" }, /^endpoint: wanted an https url/u],
    ["certificates without an endpoint", { keyRing, ca: "/ca.pem" }, "ca: wanted an endpoint with it"],
    [
      "certificates that the SDK would not take",
      { keyRing, endpoint: "https://localhost", ca: "/ca.pem" },
      /^ca: wanted fixed tokens with it; .*NODE_EXTRA_CA_CERTS/u,
    ],
    ["a token for Google", { keyRing, credentials: { data: { token: "t" } } }, /^credentials\.data\.token: a fixed/u],
    [
      "two credentials in one",
      { keyRing, credentials: { data: { keyFile: "/f", serviceAccount: "{}" } } },
      "credentials.data: wanted one of keyFile, serviceAccount, token",
    ],
    ["no credentials in one", { keyRing, credentials: { data: {} } }, /^credentials\.data: wanted one of/u],
    ["a member that it has not", { keyRing, region: "eu" }, "region: no such option"],
  ] as const)("%s", ([, input, wanted]) => {
    const problems = problemsOf(input);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(wanted);
  });

  it("never repeat a secret", () => {
    expect(problemsOf({ keyRing, credentials: { data: { token: "hush-hush", more: 1 } } }).join()).not.toContain(
      "hush",
    );
  });
});
