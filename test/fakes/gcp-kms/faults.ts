/** What can be done to a request, apart from answering it. README.md says what each looks like on the wire. */
export type FaultKind =
  | "refuse"
  | "hang"
  | "unavailable"
  | "internal"
  | "deadline"
  | "aborted"
  | "access-denied"
  | "unauthenticated"
  | "disabled"
  | "not-found"
  | "invalid-ciphertext"
  | "bad-checksum"
  | "unverified-checksum"
  | "wrong-plaintext"
  | "garbage"
  | "error-html"
  | "lost-answer"
  | "reset";

type Matching = {
  /** Only requests for this operation, such as "Encrypt". Without it any request is met. */
  readonly operation?: string;
  /** How many requests are met; one unless said otherwise. */
  readonly repeat?: number | "forever";
};

export type Fault = Matching &
  (
    | { readonly kind: FaultKind }
    | { readonly kind: "slow"; readonly ms: number }
    /** `retryMs` is what RetryInfo asks for; two seconds unless said otherwise. */
    | { readonly kind: "throttle"; readonly retryMs?: number }
  );

/** Where a fault may strike: a connection as it is accepted, or a request that was read in full. */
export type Moment = { readonly at: "connection" } | { readonly at: "request"; readonly operation: string };

/** Faults in the order in which they were added. Each is used once, unless `repeat` says more. */
export class FaultQueue {
  #waiting: { readonly fault: Fault; left: number }[] = [];

  /** Adds faults; disposing the handle withdraws those of them that are not used up. */
  add(...faults: readonly Fault[]): Disposable {
    const added = faults.map((fault) => ({
      fault,
      left: fault.repeat === "forever" ? Number.POSITIVE_INFINITY : (fault.repeat ?? 1),
    }));
    this.#waiting.push(...added);
    return {
      [Symbol.dispose]: () => {
        this.#waiting = this.#waiting.filter((entry) => !added.includes(entry));
      },
    };
  }

  /** The first fault that fits, which is thereby used. */
  take(moment: Moment): Fault | undefined {
    const entry = this.#waiting.find(({ fault }) => fits(fault, moment));
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry);
    return entry.fault;
  }

  clear(): void {
    this.#waiting = [];
  }

  /** What has not struck yet. */
  get pending(): readonly Fault[] {
    return this.#waiting.map(({ fault }) => fault);
  }
}

const fits = (fault: Fault, moment: Moment): boolean => {
  if (moment.at === "connection") return fault.kind === "refuse" && fault.operation === undefined;
  if (fault.operation !== undefined) return fault.operation === moment.operation;
  return WAITS_FOR[fault.kind]?.test(moment.operation) ?? true;
};

/** Faults that would show nothing in most answers, and so wait for one in which they do. */
const CRYPTOGRAPHIC = /^(Encrypt|Decrypt|Raw\w+|Asymmetric\w+|MacSign|Decapsulate)$/;
const WAITS_FOR: { readonly [kind in Fault["kind"]]?: RegExp } = {
  "bad-checksum": CRYPTOGRAPHIC,
  "unverified-checksum": CRYPTOGRAPHIC,
  "wrong-plaintext": /^(Decrypt|RawDecrypt|AsymmetricDecrypt)$/,
};
