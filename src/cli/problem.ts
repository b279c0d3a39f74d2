import { EXIT, Failure, type FailureCode } from "./failure.ts";
import { numberAt, type Resource, resourcesAt, textAt } from "./resource.ts";

/** What a person does about a code, where the gateway does not say it better. */
const NEXT: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: "give a valid credential: CLAVIGER_API_KEY, CLAVIGER_API_KEY_FILE, or a client.json",
  PERMISSION_DENIED: "ask an administrator: npx claviger clients list shows who may do what",
  KEY_NOT_FOUND: "npx claviger keys lists the keys that you may see",
  NOT_FOUND: "list what there is, and look at the spelling",
  NAME_TAKEN: "take another name, or look at what has it: npx claviger keys show NAME",
  KEY_NOT_ACTIVE: "npx claviger keys show KEY tells its state, and npx claviger keys history KEY why",
  VERSION_NOT_USABLE: "npx claviger keys versions KEY tells the state of each version",
  ILLEGAL_TRANSITION: "npx claviger keys show KEY tells the state it is in",
  KEY_HELD: "npx claviger keys show KEY tells what holds it; a person must decide",
  GENERATION_MISMATCH: "somebody changed the key meanwhile: look at it, and try again",
  CIPHERTEXT_INVALID: "give the ciphertext exactly as it came, with the context it was made with",
  PLAINTEXT_TOO_LARGE: "encrypt it under a data key: npx claviger data-key KEY",
  BODY_TOO_LARGE: "encrypt it under a data key: npx claviger data-key KEY",
  UNKNOWN_OUTCOME: "look whether it was done before you ask for it again",
  INTERNAL: "look for the request in the gateway's log, or with npx claviger audit trace",
  INTEGRITY_FAILURE: "npx claviger doctor, and tell the people who run the gateway",
};

const NEXT_BY_RETRY: Readonly<Record<string, string>> = {
  never: "change the request; the same one will be refused again",
  later: "try again in a moment",
  "same-key": "look whether it was done before you ask for it again",
};

export type ProblemContext = {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfter?: string | undefined;
};

/** The failure that an answer of 400 and above stands for. A body that is no problem document came from something in between. */
export function problemFailure(body: Resource | undefined, { status, requestId, retryAfter }: ProblemContext): Failure {
  const code = body === undefined ? undefined : textAt(body, "code");
  if (body === undefined || code === undefined) return strangerFailure(status, requestId);
  const retry = textAt(body, "retry") ?? "never";
  return new Failure(exitCodeOf(retry), {
    what: textAt(body, "title") ?? "the gateway refused",
    code,
    why: whyOf(body),
    next: textAt(body, "help") ?? nextOf(code, retry, retryAfter),
    requestId: textAt(body, "requestId") ?? requestId,
  });
}

/** What a batch says of one failed item, in one line. */
export function itemProblem(error: Resource): string {
  return `${textAt(error, "code") ?? "UNKNOWN"}: ${whyOf(error)}`;
}

/** Whether the same request may be sent again with its Idempotency-Key, to learn what became of it. */
export function asksForSameKey(body: Resource | undefined): boolean {
  return body !== undefined && textAt(body, "retry") === "same-key";
}

/** The detail, and what it does not say yet of single fields. */
function whyOf(body: Resource): string {
  const detail = textAt(body, "detail") ?? `status ${numberAt(body, "status") ?? "unknown"}`;
  const fields = resourcesAt(body, "errors").filter((field) => !detail.includes(textAt(field, "detail") ?? ""));
  return [detail, ...fields.map((field) => `${textAt(field, "pointer") ?? ""}: ${textAt(field, "detail") ?? ""}`)].join(
    "; ",
  );
}

function nextOf(code: string, retry: string, retryAfter: string | undefined): string {
  const known = NEXT[code];
  if (known !== undefined) return known;
  if (retry === "later" && retryAfter !== undefined && /^\d{1,6}$/u.test(retryAfter))
    return `try again in ${retryAfter} s`;
  return NEXT_BY_RETRY[retry] ?? "change the request";
}

function exitCodeOf(retry: string): FailureCode {
  return retry === "never" ? EXIT.refused : EXIT.unavailable;
}

function strangerFailure(status: number, requestId: string | undefined): Failure {
  return new Failure(status >= 500 ? EXIT.unavailable : EXIT.refused, {
    what: "the answer is not Claviger's",
    code: `HTTP_${status}`,
    why: `status ${status} without a problem document`,
    next: "look at the address, and at what stands between here and the gateway",
    requestId,
  });
}
