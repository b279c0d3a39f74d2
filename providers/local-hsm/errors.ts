import { constants } from "node:os";
import type { AlgorithmName } from "#core/algorithms.ts";
import { type Failure, ProviderError, type ProviderFault } from "#core/failures.ts";

/** What goes wrong in a software HSM, in its own words, and what that means. */
export const LOCAL_FAULTS = {
  KeyNotFound: "NOT_FOUND",
  KeyDisabled: "STATE",
  KeyPendingDestruction: "STATE",
  KeyDestroyed: "STATE",
  KeyNotPending: "STATE",
  /** The file of a key does not parse or does not open under the master key: edited, moved, or another master key's. */
  KeyDamaged: "STATE",
  /** The one answer to bytes that do not open, whatever is wrong with them. */
  InvalidBytes: "INVALID",
  /** Bytes from outside that are no key of the algorithm. */
  InvalidKey: "INVALID",
  NotExtractable: "DENIED",
  InvocationBoundReached: "EXHAUSTED",
  StoreFull: "EXHAUSTED",
  /** The folder is away, or another one stands in its place. */
  StoreUnavailable: "OUTAGE",
  /** Other writers of the same key won each time. */
  StoreBusy: "THROTTLED",
  TokenDamaged: "INTERNAL",
  SealRefused: "INTERNAL",
  Closed: "INTERNAL",
  Cancelled: "CANCELLED",
} as const satisfies Record<string, Failure>;

export type LocalFaultCode = keyof typeof LOCAL_FAULTS;

/** A failure of the software HSM; the message is a sentence for an operator, without secrets. */
export class LocalHsmError extends Error {
  override readonly name = "LocalHsmError";
  readonly code: LocalFaultCode;

  constructor(code: LocalFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Bytes that do not open: one message for every reason. */
export function invalidBytes(): LocalHsmError {
  return new LocalHsmError("InvalidBytes", "the bytes do not open under this key and context");
}

/** Bytes from outside that are no key of an algorithm: one message for every reason. */
export function invalidKey(algorithm: AlgorithmName): LocalHsmError {
  return new LocalHsmError("InvalidKey", `the bytes are no key for ${algorithm}`);
}

/** What no capability row allows; callers are meant to ask before. */
export function unsupported(what: string): ProviderError {
  return new ProviderError({ failure: "INTERNAL", detail: `unsupported: ${what}` });
}

/** The system's errors that are no outage of the folder. */
const FULL_CODES = ["ENOSPC", "EDQUOT"];

/** Names any failure. Total: whatever it does not know, or cannot read, is `INTERNAL`. */
export function classifyLocal(error: unknown): ProviderFault {
  try {
    return faultOf(error);
  } catch {
    return { failure: "INTERNAL", detail: "an error that cannot be read" };
  }
}

function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError) return error.fault;
  if (error instanceof LocalHsmError) {
    return { failure: LOCAL_FAULTS[error.code], nativeCode: error.code, detail: error.message };
  }
  if (isSystemError(error)) {
    const code = FULL_CODES.includes(error.code) ? "StoreFull" : "StoreUnavailable";
    return { failure: LOCAL_FAULTS[code], nativeCode: error.code, detail: `store: ${error.code} in ${error.syscall}` };
  }
  return { failure: "INTERNAL", detail: "an error that the software hsm does not know" };
}

type SystemError = Error & { readonly code: string; readonly syscall: string };

/** An error that the operating system gave: a code of its list, and the name of the call. */
function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    Object.hasOwn(constants.errno, error.code) &&
    "syscall" in error &&
    typeof error.syscall === "string"
  );
}

/** Whether the operating system answered with one of these codes, such as `ENOENT`. */
export function isSystemCode(error: unknown, ...codes: readonly string[]): boolean {
  return isSystemError(error) && codes.includes(error.code);
}
