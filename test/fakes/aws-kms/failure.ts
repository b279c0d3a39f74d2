/** An answer that is not 200, as AWS JSON 1.1 puts it on the wire: a status, a `__type` and a `message`. */
export class AwsFailure extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message = "", status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export const validation = (text: string): AwsFailure => new AwsFailure("ValidationException", text);

/** The front end's form for a member that breaks a constraint of the service model. */
export const invalidMember = (member: string, constraint: string, shown?: string | number): AwsFailure =>
  validation(
    `1 validation error detected: Value ${shown === undefined ? "" : `'${shown}' `}at '${member}' failed to satisfy constraint: ${constraint}`,
  );

export const malformed = (text: string): AwsFailure => new AwsFailure("SerializationException", text);
export const notFound = (text: string): AwsFailure => new AwsFailure("NotFoundException", text);
export const invalidArn = (text: string): AwsFailure => new AwsFailure("InvalidArnException", text);
export const invalidState = (text: string): AwsFailure => new AwsFailure("KMSInvalidStateException", text);
export const unsupported = (text: string): AwsFailure => new AwsFailure("UnsupportedOperationException", text);
export const invalidKeyUsage = (text: string): AwsFailure => new AwsFailure("InvalidKeyUsageException", text);
export const limitExceeded = (text: string): AwsFailure => new AwsFailure("LimitExceededException", text);
export const invalidTag = (text: string): AwsFailure => new AwsFailure("TagException", text);
export const malformedPolicy = (text: string): AwsFailure => new AwsFailure("MalformedPolicyDocumentException", text);
export const accessDenied = (text: string): AwsFailure => new AwsFailure("AccessDeniedException", text);

/** One answer, without a message, for a wrong context, a changed byte and whatever was never a ciphertext. */
export const invalidCiphertext = (): AwsFailure => new AwsFailure("InvalidCiphertextException");

export const incorrectKey = (): AwsFailure =>
  new AwsFailure(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
  );

export const dryRun = (): AwsFailure =>
  new AwsFailure("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
