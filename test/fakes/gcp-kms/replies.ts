import {
  decryptionFailed,
  GrpcFailure,
  notEnabled,
  notFound,
  permissionDenied,
  quotaExceeded,
  unauthenticated,
} from "./failure.ts";
import type { Fault } from "./faults.ts";

/** What goes on the wire: a gRPC message, a gRPC failure, or HTML of something in between. */
export type Reply =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "failure"; readonly failure: GrpcFailure }
  | { readonly kind: "html"; readonly status: number };

/** The ready-made answer of a fault, instead of the operation's; undefined for faults that are no answer. */
export const faultReply = (fault: Fault, asked: Asked): Reply | undefined => {
  if (fault.kind === "garbage") return { kind: "message", bytes: Buffer.from("<html>this is no protobuf</html>") };
  if (fault.kind === "error-html") return { kind: "html", status: 502 };
  if (fault.kind === "throttle") return { kind: "failure", failure: quotaExceeded(fault.retryMs ?? 2_000) };
  const failure = FAILURES[fault.kind]?.(asked);
  return failure === undefined ? undefined : { kind: "failure", failure };
};

export type Asked = { readonly operation: string; readonly resource: string };

const FAILURES: { readonly [kind in Fault["kind"]]?: (asked: Asked) => GrpcFailure } = {
  unavailable: () => new GrpcFailure("UNAVAILABLE", "The service is currently unavailable."),
  internal: () => new GrpcFailure("INTERNAL", "Internal error encountered."),
  deadline: () => new GrpcFailure("DEADLINE_EXCEEDED", "Deadline exceeded."),
  aborted: () => new GrpcFailure("ABORTED", "The operation was aborted."),
  unauthenticated: () => unauthenticated("ACCESS_TOKEN_EXPIRED"),
  disabled: ({ resource }) => notEnabled(resource, "DISABLED"),
  "not-found": ({ resource }) => notFound("CryptoKey", resource),
  "invalid-ciphertext": decryptionFailed,
  "access-denied": ({ operation, resource }) =>
    permissionDenied(`cloudkms.${PERMISSIONS[operation] ?? "cryptoKeys.get"}`, resource),
};

/** Of the REST reference, method by method; the commonest. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  Encrypt: "cryptoKeyVersions.useToEncrypt",
  Decrypt: "cryptoKeyVersions.useToDecrypt",
  RawEncrypt: "cryptoKeyVersions.useToEncrypt",
  RawDecrypt: "cryptoKeyVersions.useToDecrypt",
  AsymmetricSign: "cryptoKeyVersions.useToSign",
  AsymmetricDecrypt: "cryptoKeyVersions.useToDecrypt",
  MacSign: "cryptoKeyVersions.useToSign",
  MacVerify: "cryptoKeyVersions.useToVerify",
  Decapsulate: "cryptoKeyVersions.useToDecapsulate",
  GetPublicKey: "cryptoKeyVersions.viewPublicKey",
  CreateCryptoKey: "cryptoKeys.create",
  CreateCryptoKeyVersion: "cryptoKeyVersions.create",
  DestroyCryptoKeyVersion: "cryptoKeyVersions.destroy",
  RestoreCryptoKeyVersion: "cryptoKeyVersions.restore",
  UpdateCryptoKeyVersion: "cryptoKeyVersions.update",
  ListKeyRings: "keyRings.list",
  ListCryptoKeys: "cryptoKeys.list",
  ListCryptoKeyVersions: "cryptoKeyVersions.list",
};
