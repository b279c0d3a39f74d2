/** An answer of Key Vault that is an error: `{error: {code, message, innererror}}`. */
export class AzureFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;

  constructor(status: number, { code, inner, message }: { code: string; inner?: string; message: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = inner;
  }
}

export const badParameter = (message = "The parameter is incorrect."): AzureFailure =>
  new AzureFailure(400, { code: "BadParameter", message });

export const forbidden = (inner: string, message: string): AzureFailure =>
  new AzureFailure(403, { code: "Forbidden", inner, message });

export const conflict = (inner: string | undefined, message: string): AzureFailure =>
  new AzureFailure(409, { code: "Conflict", message, ...(inner === undefined ? {} : { inner }) });

export const keyNotFound = (name: string): AzureFailure =>
  new AzureFailure(404, {
    code: "KeyNotFound",
    message: `A key with (name/id) ${name} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command.`,
  });

export const deletedKeyNotFound = (name: string): AzureFailure =>
  new AzureFailure(404, { code: "KeyNotFound", message: `Deleted Key not found: ${name}` });
