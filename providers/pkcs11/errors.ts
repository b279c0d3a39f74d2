import { type Failure, ProviderError, type ProviderFault } from "#core/failures.ts";
import type { Trouble, WireFault } from "./wire.ts";

type Row = { readonly failure: Failure; readonly name: string };

/** What the codes of a module mean (CKR_…, pkcs11t.h). What is in no row is `INTERNAL`. */
export const CKR_FAULTS: Readonly<Record<number, Row>> = {
  0x2: { failure: "EXHAUSTED", name: "HOST_MEMORY" },
  0x5: { failure: "OUTAGE", name: "GENERAL_ERROR" },
  0x6: { failure: "OUTAGE", name: "FUNCTION_FAILED" },
  0x1b: { failure: "STATE", name: "ACTION_PROHIBITED" },
  0x30: { failure: "OUTAGE", name: "DEVICE_ERROR" },
  0x31: { failure: "EXHAUSTED", name: "DEVICE_MEMORY" },
  0x32: { failure: "OUTAGE", name: "DEVICE_REMOVED" },
  0x40: { failure: "INVALID", name: "ENCRYPTED_DATA_INVALID" },
  0x41: { failure: "INVALID", name: "ENCRYPTED_DATA_LEN_RANGE" },
  0x42: { failure: "INVALID", name: "AEAD_DECRYPT_FAILED" },
  0x60: { failure: "NOT_FOUND", name: "KEY_HANDLE_INVALID" },
  0x68: { failure: "STATE", name: "KEY_FUNCTION_NOT_PERMITTED" },
  0x82: { failure: "NOT_FOUND", name: "OBJECT_HANDLE_INVALID" },
  0xa0: { failure: "CREDENTIALS", name: "PIN_INCORRECT" },
  0xa3: { failure: "CREDENTIALS", name: "PIN_EXPIRED" },
  0xa4: { failure: "CREDENTIALS", name: "PIN_LOCKED" },
  0xb0: { failure: "OUTAGE", name: "SESSION_CLOSED" },
  0xb1: { failure: "THROTTLED", name: "SESSION_COUNT" },
  0xb3: { failure: "OUTAGE", name: "SESSION_HANDLE_INVALID" },
  0xe0: { failure: "OUTAGE", name: "TOKEN_NOT_PRESENT" },
  0xe1: { failure: "OUTAGE", name: "TOKEN_NOT_RECOGNIZED" },
  0xf0: { failure: "NOT_FOUND", name: "UNWRAPPING_KEY_HANDLE_INVALID" },
  0x101: { failure: "CREDENTIALS", name: "USER_NOT_LOGGED_IN" },
  0x102: { failure: "CREDENTIALS", name: "USER_PIN_NOT_INITIALIZED" },
  0x110: { failure: "INVALID", name: "WRAPPED_KEY_INVALID" },
  0x112: { failure: "INVALID", name: "WRAPPED_KEY_LEN_RANGE" },
  0x113: { failure: "NOT_FOUND", name: "WRAPPING_KEY_HANDLE_INVALID" },
  0x190: { failure: "OUTAGE", name: "CRYPTOKI_NOT_INITIALIZED" },
  0x1b6: { failure: "OUTAGE", name: "FIPS_SELF_TEST_FAILED" },
  0x1b7: { failure: "OUTAGE", name: "LIBRARY_LOAD_FAILED" },
  0x201: { failure: "EXHAUSTED", name: "TOKEN_RESOURCE_EXCEEDED" },
  0x203: { failure: "STATE", name: "KEY_EXHAUSTED" },
};

/** What a token may also say of bytes that do not open: only told apart by whether it opens its own (SoftHSM says GENERAL_ERROR of them). */
const AMBIGUOUS: ReadonlySet<number> = new Set([0x5, 0x6]);
/** The PIN is not tried again after these. */
const PIN_CODES: ReadonlySet<number> = new Set([0xa0, 0xa3, 0xa4, 0x102]);

const SENTENCES: Readonly<Record<number, string>> = {
  0xa0: "the token does not take the PIN; it is not tried again until the configuration has another one, lest the token locks it",
  0xa3: "the PIN of the token has expired; set another one with the vendor's tool",
  0xa4: "the PIN of the token is locked; its security officer unlocks it with the vendor's tool",
  0x102: "the token has no PIN for the user yet; its security officer sets one with the vendor's tool",
};

const TROUBLES: Readonly<Record<Trouble, Failure>> = {
  "no-binding": "INTERNAL",
  "no-module": "OUTAGE",
  "no-token": "OUTAGE",
  "not-initialised": "OUTAGE",
  "no-such-key": "NOT_FOUND",
  "wrong-algorithm": "INTERNAL",
  busy: "THROTTLED",
};

/** An error of the module, or of the process that loads it. The message is a sentence for an operator, without secrets. */
export class Pkcs11Error extends Error {
  override readonly name = "Pkcs11Error";
  readonly code: number | undefined;
  readonly trouble: Trouble | "gone" | undefined;

  constructor(fault: Omit<WireFault, "trouble"> & { readonly trouble?: Trouble | "gone" }) {
    super(fault.code === undefined ? fault.text : sentenceOf(fault.code));
    this.code = fault.code;
    this.trouble = fault.trouble;
  }
}

function sentenceOf(code: number): string {
  return SENTENCES[code] ?? `the module answered CKR_${CKR_FAULTS[code]?.name ?? code.toString(16)}`;
}

export function isAmbiguous(error: unknown): boolean {
  return error instanceof Pkcs11Error && error.code !== undefined && AMBIGUOUS.has(error.code);
}

export function isPinRefused(error: unknown): boolean {
  return error instanceof Pkcs11Error && error.code !== undefined && PIN_CODES.has(error.code);
}

/** Bytes that do not open, whatever is wrong with them: one sentence. */
export function doesNotOpen(): ProviderError {
  return new ProviderError({ failure: "INVALID", detail: "the bytes do not open under this key and context" });
}

/** What no capability row allows; callers are meant to ask before. */
export function unsupported(what: string): ProviderError {
  return new ProviderError({ failure: "INTERNAL", detail: `unsupported: ${what}` });
}

export function notFound(): ProviderError {
  return new ProviderError({ failure: "NOT_FOUND", detail: "the token has no such key" });
}

/** Names any failure. Total: whatever it does not know, or cannot read, is `INTERNAL`. */
export function classifyPkcs11(error: unknown): ProviderFault {
  try {
    return faultOf(error);
  } catch {
    return { failure: "INTERNAL", detail: "an error that cannot be read" };
  }
}

function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError) return error.fault;
  if (!(error instanceof Pkcs11Error))
    return { failure: "INTERNAL", detail: "an error that the adapter does not know" };
  const { code, trouble, message } = error;
  if (trouble === "gone") return { failure: "OUTAGE", detail: message, answered: false };
  if (trouble !== undefined) return { failure: TROUBLES[trouble], detail: message };
  const row = code === undefined ? undefined : CKR_FAULTS[code];
  if (code === undefined || row === undefined) {
    return { failure: "INTERNAL", detail: message, ...(code !== undefined && { nativeCode: nameOf(code) }) };
  }
  return { failure: row.failure, nativeCode: nameOf(code), detail: message };
}

function nameOf(code: number): string {
  return `CKR_${CKR_FAULTS[code]?.name ?? `0x${code.toString(16)}`}`;
}
