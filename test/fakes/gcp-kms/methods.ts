import { protos } from "@google-cloud/kms";
import type { KmsState } from "./state.ts";

const { v1 } = protos.google.cloud.kms;

/** The path under which gRPC serves them. */
export const SERVICE = "google.cloud.kms.v1.KeyManagementService";

/** Every method that the fake knows, with the messages of Google's own protos. */
export const METHODS = {
  ListKeyRings: { request: v1.ListKeyRingsRequest, response: v1.ListKeyRingsResponse },
  GetKeyRing: { request: v1.GetKeyRingRequest, response: v1.KeyRing },
  CreateKeyRing: { request: v1.CreateKeyRingRequest, response: v1.KeyRing },
  ListCryptoKeys: { request: v1.ListCryptoKeysRequest, response: v1.ListCryptoKeysResponse },
  GetCryptoKey: { request: v1.GetCryptoKeyRequest, response: v1.CryptoKey },
  CreateCryptoKey: { request: v1.CreateCryptoKeyRequest, response: v1.CryptoKey },
  UpdateCryptoKey: { request: v1.UpdateCryptoKeyRequest, response: v1.CryptoKey },
  UpdateCryptoKeyPrimaryVersion: { request: v1.UpdateCryptoKeyPrimaryVersionRequest, response: v1.CryptoKey },
  ListCryptoKeyVersions: { request: v1.ListCryptoKeyVersionsRequest, response: v1.ListCryptoKeyVersionsResponse },
  GetCryptoKeyVersion: { request: v1.GetCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
  CreateCryptoKeyVersion: { request: v1.CreateCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
  UpdateCryptoKeyVersion: { request: v1.UpdateCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
  DestroyCryptoKeyVersion: { request: v1.DestroyCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
  RestoreCryptoKeyVersion: { request: v1.RestoreCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
  Encrypt: { request: v1.EncryptRequest, response: v1.EncryptResponse },
  Decrypt: { request: v1.DecryptRequest, response: v1.DecryptResponse },
  RawEncrypt: { request: v1.RawEncryptRequest, response: v1.RawEncryptResponse },
  RawDecrypt: { request: v1.RawDecryptRequest, response: v1.RawDecryptResponse },
  AsymmetricSign: { request: v1.AsymmetricSignRequest, response: v1.AsymmetricSignResponse },
  AsymmetricDecrypt: { request: v1.AsymmetricDecryptRequest, response: v1.AsymmetricDecryptResponse },
  MacSign: { request: v1.MacSignRequest, response: v1.MacSignResponse },
  MacVerify: { request: v1.MacVerifyRequest, response: v1.MacVerifyResponse },
  Decapsulate: { request: v1.DecapsulateRequest, response: v1.DecapsulateResponse },
  GetPublicKey: { request: v1.GetPublicKeyRequest, response: v1.PublicKey },
  GenerateRandomBytes: { request: v1.GenerateRandomBytesRequest, response: v1.GenerateRandomBytesResponse },
  ListImportJobs: { request: v1.ListImportJobsRequest, response: v1.ListImportJobsResponse },
  GetImportJob: { request: v1.GetImportJobRequest, response: v1.ImportJob },
  CreateImportJob: { request: v1.CreateImportJobRequest, response: v1.ImportJob },
  ImportCryptoKeyVersion: { request: v1.ImportCryptoKeyVersionRequest, response: v1.CryptoKeyVersion },
} as const;

export type MethodName = keyof typeof METHODS;
export type RequestOf<M extends MethodName> = ReturnType<(typeof METHODS)[M]["request"]["decode"]>;
export type AnswerOf<M extends MethodName> = NonNullable<Parameters<(typeof METHODS)[M]["response"]["create"]>[0]>;

export type Operation<M extends MethodName> = (
  kms: KmsState,
  request: RequestOf<M>,
) => AnswerOf<M> | Promise<AnswerOf<M>>;
export type Operations = { readonly [M in MethodName]: Operation<M> };

/** The number of an enum's value as its name; the name of zero if it is none. */
export const nameIn = (values: object, value: unknown): string => {
  const names = values as Readonly<Record<string, string | number>>;
  if (typeof value === "string") return value;
  return String(names[Number(value ?? 0)] ?? names[0]);
};

export const isMethod = (name: string): name is MethodName => Object.hasOwn(METHODS, name);

/** The resource that a request is about, and so the location that must serve it. */
export const resourceOf = (request: object): string | undefined => {
  const fields = request as Readonly<Record<string, unknown>>;
  const nested = [fields["cryptoKey"], fields["cryptoKeyVersion"]].map((message) =>
    typeof message === "object" && message !== null ? (message as { readonly name?: unknown }).name : undefined,
  );
  const named = [fields["name"], fields["parent"], fields["location"], ...nested];
  return named.find((value): value is string => typeof value === "string" && value !== "");
};
