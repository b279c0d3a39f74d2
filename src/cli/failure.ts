import { printable } from "./text.ts";

/** Exit codes (api.md § 11): done · refused, or a check said no · usage · unavailable, worth retrying · finished with failed items. */
export const EXIT = { done: 0, refused: 1, usage: 2, unavailable: 3, partial: 4 } as const;

export type FailureCode = (typeof EXIT)[Exclude<keyof typeof EXIT, "done">];

type FailureText = {
  /** What went wrong, in one sentence. */
  readonly what: string;
  /** A code of the API, or one of the command's own in the same manner. */
  readonly code: string;
  readonly why: string;
  /** What to do next. */
  readonly next: string;
  readonly requestId?: string | undefined;
};

/** Why a command did not do what it was asked; printed as three lines on stderr. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: FailureCode;
  readonly text: FailureText;

  constructor(exitCode: FailureCode, text: FailureText, cause?: unknown) {
    super(text.what, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.text = text;
  }
}

/** A command that was typed wrongly, as far as the command itself can tell; its usage is told with it. */
export function usageFailure(what: string, next?: string): Failure {
  return new Failure(EXIT.usage, { what, code: "USAGE", why: "", next: next ?? "" });
}

/** Settings that name no gateway, or name one in a way that is not safe. */
export function settingsFailure(what: string, next: string): Failure {
  return new Failure(EXIT.usage, {
    what,
    code: "SETTINGS",
    why: "looked at flags, environment, profile and ./data/client.json",
    next,
  });
}

/** Three lines: what; why, with the code; what to do next, with the request id. `typed` is the command with its usage. */
export function failureLines({ text }: Failure, typed: { readonly name: string; readonly usage: string }): string {
  const { what, code, why, next, requestId } = text;
  const lines = [
    `claviger${typed.name === "" ? "" : ` ${typed.name}`}: ${what}`,
    `  why:  ${why === "" ? `usage: ${typed.usage}` : why} (${code})`,
    `  next: ${next === "" ? `npx claviger ${typed.name === "" ? "" : `${typed.name} `}--help tells how` : next}`,
  ];
  const last = requestId === undefined ? "" : ` (request ${requestId})`;
  return lines.map((line, index) => `${printable(line)}${index === 2 ? printable(last) : ""}\n`).join("");
}
