import { ERROR_CODES, type FieldError, KmsError, type Retry } from "#core/errors.ts";

/** The body of every error: RFC 9457 with the members of api.md § 4. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly help?: string;
  readonly retry: Retry;
  readonly requestId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly errors: readonly FieldError[];
};

export const PROBLEM_TYPE = "application/problem+json";

/** What a caller is told of an error. The cause stays inside. */
export function toProblem(error: KmsError, requestId: string): Problem {
  const { status, retry, title } = ERROR_CODES[error.code];
  return {
    type: `/docs/errors#${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.publicMessage,
    ...(error.help === undefined ? {} : { help: error.help }),
    retry,
    requestId,
    metadata: error.metadata,
    errors: error.errors,
  };
}

/** The error itself if it is one of ours; otherwise `INTERNAL`, with what was thrown as its cause. */
export function asKmsError(error: unknown): KmsError {
  if (error instanceof KmsError) return error;
  return new KmsError("INTERNAL", "something went wrong inside", { cause: error });
}

/** The error of an item of a batch. */
export function toItemProblem(
  error: KmsError,
): Pick<Problem, "code" | "status" | "retry" | "detail"> & Partial<Pick<Problem, "errors">> {
  const { status, retry } = ERROR_CODES[error.code];
  return {
    code: error.code,
    status,
    retry,
    detail: error.publicMessage,
    ...(error.errors.length === 0 ? {} : { errors: error.errors }),
  };
}
