/** The errors that clients of AWS KMS know: a code, an HTTP status and a message, in the words of the service where it is known to have some. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: AwsErrorCode;
  /** Seconds after which it is worth asking again; for the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: AwsErrorCode,
    message = "",
    options: { readonly cause?: unknown; readonly retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/**
 * HTTP statuses by code. On the wire every error of the client's is 400, whatever the SDK's model says of it: so do recorded answers of the
 * service. Faults of the server are 5xx, so that SDKs repeat them.
 */
export const AWS_STATUS = {
  AccessDeniedException: 400,
  AlreadyExistsException: 400,
  ConflictException: 400,
  DependencyTimeoutException: 503,
  DisabledException: 400,
  DryRunOperationException: 400,
  ExpiredImportTokenException: 400,
  IncompleteSignatureException: 400,
  IncorrectKeyException: 400,
  IncorrectKeyMaterialException: 400,
  InvalidAliasNameException: 400,
  InvalidArnException: 400,
  InvalidCiphertextException: 400,
  InvalidGrantTokenException: 400,
  InvalidImportTokenException: 400,
  InvalidKeyUsageException: 400,
  InvalidMarkerException: 400,
  InvalidSignatureException: 400,
  KMSInternalException: 500,
  KMSInvalidMacException: 400,
  KMSInvalidSignatureException: 400,
  KMSInvalidStateException: 400,
  KeyUnavailableException: 500,
  LimitExceededException: 400,
  MalformedPolicyDocumentException: 400,
  MissingAuthenticationTokenException: 400,
  NotFoundException: 400,
  SerializationException: 400,
  TagException: 400,
  ThrottlingException: 400,
  UnknownOperationException: 400,
  UnrecognizedClientException: 400,
  UnsupportedOperationException: 400,
  ValidationException: 400,
} as const satisfies Readonly<Record<string, number>>;

export type AwsErrorCode = keyof typeof AWS_STATUS;
