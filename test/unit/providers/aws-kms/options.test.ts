import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";
import { parseAwsKmsOptions } from "#providers/aws-kms/options.ts";

const region = "eu-west-1";
const data = { accessKeyId: "AKIADATA", secretAccessKey: new Secret("hush") };

function optionsOf(input: unknown) {
  const parsed = parseAwsKmsOptions(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.options;
}

function problemsOf(input: unknown): string[] {
  const parsed = parseAwsKmsOptions(input);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("options", () => {
  it("are a region, and nothing else that must be said", () => {
    expect(optionsOf({ region })).toEqual({ region });
  });

  it.for([
    "us-east-1",
    "ap-southeast-2",
    "us-gov-west-1",
    "us-iso-east-1",
    "eu-isoe-west-1",
    "eusc-de-east-1",
    "il-central-1",
  ])("take the region %s", (name) => {
    expect(optionsOf({ region: name }).region).toBe(name);
  });

  it("take secrets as text or wrapped, and wrap them", () => {
    const wrapped = { ...data, accessKeyId: new Secret("AKIADATA"), sessionToken: "token" };
    const { credentials } = optionsOf({
      region,
      credentials: { data: wrapped, control: { ...data, secretAccessKey: "x" } },
    });
    expect(credentials?.data?.accessKeyId).toBe("AKIADATA");
    const secrets = [
      credentials?.data?.secretAccessKey,
      credentials?.data?.sessionToken,
      credentials?.control?.secretAccessKey,
    ];
    expect(secrets.map((secret) => (secret === undefined ? "" : unsafeRevealSecret(secret)))).toEqual([
      "hush",
      "token",
      "x",
    ]);
    expect(inspect(credentials, { depth: 9 })).not.toMatch(/hush|token:? '/u);
  });

  it.for([
    { endpoint: "https://kms.internal:8443", origin: "https://kms.internal:8443" },
    { endpoint: "https://kms.internal:443/", origin: "https://kms.internal" },
    { endpoint: "http://127.0.0.1:4566", origin: "http://127.0.0.1:4566" },
    { endpoint: "http://localhost:4566/", origin: "http://localhost:4566" },
    { endpoint: "http://[::1]:4566", origin: "http://[::1]:4566" },
  ])("take the endpoint $endpoint", ({ endpoint, origin }) => {
    expect(optionsOf({ region, endpoint }).endpoint).toBe(origin);
  });
});

describe("options that are refused", () => {
  it.for([
    ["nothing", undefined, /^: Invalid input/u],
    ["no region", {}, /^region: /u],
    ["a region that is none", { region: "Frankfurt" }, /^region: wanted a region such as eu-west-1$/u],
    ["a region with a host in it", { region: "eu-west-1.evil.example/" }, /^region: wanted a region/u],
    ["a region of China", { region: "cn-north-1" }, /^region: regions of china encrypt with sm4/u],
    ["an unknown member", { region, regoin: "x" }, /^regoin: no such option$/u],
    ["an unknown member within", { region, credentials: { date: data } }, /^credentials\.date: no such option$/u],
    [
      "half of the credentials",
      { region, credentials: { data: { accessKeyId: "A" } } },
      /^credentials\.data\.secretAccessKey: wanted a secret$/u,
    ],
    [
      "an empty secret",
      { region, credentials: { data: { ...data, secretAccessKey: "" } } },
      /secretAccessKey: wanted a secret$/u,
    ],
    [
      "an access key with a space",
      { region, credentials: { data: { ...data, accessKeyId: "A B" } } },
      /accessKeyId: wanted an access key id$/u,
    ],
    ["an empty ca", { region, ca: "" }, /^ca: wanted the path of a pem file$/u],
    ["http to another host", { region, endpoint: "http://kms.internal" }, /^endpoint: wanted an https url/u],
    [
      "http to a host that looks like loopback",
      { region, endpoint: "http://127.0.0.1.evil.example" },
      /^endpoint: wanted/u,
    ],
    ["an endpoint with credentials", { region, endpoint: "https://a:b@kms.internal" }, /^endpoint: wanted/u],
    ["an endpoint with a path", { region, endpoint: "https://kms.internal/kms" }, /^endpoint: wanted/u],
    ["an endpoint with a query", { region, endpoint: "https://kms.internal/?a" }, /^endpoint: wanted/u],
    ["an endpoint of another scheme", { region, endpoint: "file:///etc/passwd" }, /^endpoint: wanted/u],
    ["an endpoint that is no url", { region, endpoint: "kms.internal" }, /^endpoint: wanted/u],
  ] as const)("%s", ([, input, problem]) => {
    const problems = problemsOf(input);
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it("are told all at once", () => {
    expect(problemsOf({ region: "x", endpoint: "y", ca: "", more: 1 })).toHaveLength(4);
  });
});
