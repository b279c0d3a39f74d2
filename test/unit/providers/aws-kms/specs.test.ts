import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { ALGORITHM_NAMES, algorithmTraits } from "#core/algorithms.ts";
import { AWS_KMS_CAPABILITIES, requireCapability } from "#providers/aws-kms/capabilities.ts";
import { OFFERED, shapeOf } from "#providers/aws-kms/specs.ts";

const USAGES = {
  encrypt: "ENCRYPT_DECRYPT",
  sign: "SIGN_VERIFY",
  mac: "GENERATE_VERIFY_MAC",
  wrap: "none",
  agree: "KEY_AGREEMENT",
  kem: "ENCAPSULATE_DECAPSULATE",
} as const;

describe("the table of algorithms", () => {
  it("has every key spec of the sdk, but for China's", () => {
    const specs = new Set(OFFERED.map((algorithm) => shapeOf(algorithm).keySpec));
    expect([...specs].toSorted()).toEqual(Object.keys(sdk.KeySpec).filter((spec) => spec !== "SM2"));
  });

  it("has every key usage and every algorithm of the sdk, but for China's and the one that hashes first", () => {
    const shapes = OFFERED.map((algorithm) => shapeOf(algorithm));
    expect(new Set(shapes.map(({ keyUsage }) => keyUsage))).toEqual(new Set(Object.keys(sdk.KeyUsageType)));
    const natives = [
      sdk.EncryptionAlgorithmSpec,
      sdk.SigningAlgorithmSpec,
      sdk.MacAlgorithmSpec,
      sdk.KeyAgreementAlgorithmSpec,
      sdk.EncapsulationAlgorithmSpec,
    ].flatMap((names) => Object.keys(names));
    const left = new Set(natives).difference(new Set<string>(shapes.map(({ native }) => native)));
    expect(left).toEqual(new Set(["SM2PKE", "SM2DSA", "ED25519_PH_SHA_512"]));
  });

  it("gives each algorithm a usage of its purpose and a native name of its hash and size", () => {
    for (const algorithm of OFFERED) {
      const { keySpec, keyUsage, native } = shapeOf(algorithm);
      expect(keyUsage, algorithm).toBe(USAGES[algorithmTraits(algorithm).purpose]);
      const size = /^(?:RSA|ML-KEM|ML-DSA|HMAC-SHA)-(\d+)/u.exec(algorithm)?.[1];
      if (size !== undefined) expect(keySpec, algorithm).toMatch(new RegExp(`_${size}$`, "u"));
      const hash = /^(?:RSA|EC).*-SHA(\d+)$/u.exec(algorithm)?.[1];
      if (hash !== undefined) expect(native, algorithm).toMatch(new RegExp(`_SHA_${hash}$`, "u"));
      const padding = /^RSA-\d+-(OAEP|PSS|PKCS1)/u.exec(algorithm)?.[1];
      if (padding !== undefined) expect(native, algorithm).toContain(padding);
    }
  });

  it("refuses what the service does not have", () => {
    const missing = ALGORITHM_NAMES.filter((name) => !OFFERED.includes(name));
    expect(missing).toEqual([
      "AES-256-GCM",
      "AES-192-GCM",
      "AES-128-GCM",
      "RSA-4096-OAEP-SHA512",
      "SLH-DSA-SHA2-128s",
      "AES-KW",
      "AES-KWP",
      "X25519",
      "X-WING",
    ]);
    for (const algorithm of missing) expect(() => shapeOf(algorithm)).toThrow(/unsupported: a key for/u);
  });
});

describe("the rows of the capabilities", () => {
  const { rows } = AWS_KMS_CAPABILITIES;
  const rowOf = (operation: string, algorithm: string) =>
    rows.find((row) => row.operation === operation && row.algorithm === algorithm);

  it("have each pair of operation and algorithm once, and each offered algorithm", () => {
    const pairs = rows.map(({ operation, algorithm }) => `${operation} ${algorithm}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(new Set(rows.map(({ algorithm }) => algorithm))).toEqual(new Set(OFFERED));
  });

  it.for([
    ["RSA-2048-OAEP-SHA256", 190, 256],
    ["RSA-3072-OAEP-SHA256", 318, 384],
    ["RSA-4096-OAEP-SHA256", 446, 512],
    ["RSA-2048-OAEP-SHA1", 214, 256],
    ["RSA-3072-OAEP-SHA1", 342, 384],
    ["RSA-4096-OAEP-SHA1", 470, 512],
  ] as const)("%s encrypts %d bytes and decrypts %d, bound to nothing", ([algorithm, plain, sealed]) => {
    expect(rowOf("encrypt", algorithm)).toMatchObject({ minInputBytes: 1, maxInputBytes: plain, context: "none" });
    expect(rowOf("decrypt", algorithm)).toMatchObject({ maxInputBytes: sealed, context: "none" });
  });

  it("take digests for RSA and ECDSA alone", () => {
    const taking = rows.filter(({ digests }) => digests === true);
    expect(new Set(taking.map(({ operation }) => operation))).toEqual(new Set(["sign", "verify"]));
    const whole = rows.filter(({ operation, digests }) => operation === "sign" && digests !== true);
    expect(whole.map(({ algorithm }) => algorithm)).toEqual(["ED25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]);
  });

  it("import everything but post-quantum keys", () => {
    const importable = rows.filter(({ operation }) => operation === "import").map(({ algorithm }) => algorithm);
    expect(OFFERED.filter((name) => !importable.includes(name))).toEqual([
      "ML-DSA-44",
      "ML-DSA-65",
      "ML-DSA-87",
      "ML-KEM-512",
      "ML-KEM-768",
      "ML-KEM-1024",
    ]);
    expect(rowOf("import", "HMAC-SHA-384")).toMatchObject({ minInputBytes: 48, maxInputBytes: 48 });
    expect(rowOf("import", "RSA-4096-PSS-SHA256")?.maxInputBytes).toBe(5624);
  });

  it("refuse what is in none, and more bytes than one has", () => {
    expect(() => requireCapability("sign", "AES-256-OPAQUE", 1)).toThrow(/unsupported: sign with AES-256-OPAQUE/u);
    expect(() => requireCapability("sign", "ED25519", 4097)).toThrow(
      /unsupported: sign of 4097 bytes, wanted 1 to 4096/u,
    );
    expect(() => requireCapability("mac", "HMAC-SHA-256", 0)).toThrow(/unsupported: mac of 0 bytes, wanted 1/u);
    expect(requireCapability("sign", "ED25519", 4096).algorithm).toBe("ED25519");
  });
});
