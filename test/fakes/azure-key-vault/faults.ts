/** What can be done to a request, apart from answering it. README.md says what each looks like on the wire. */
export type FaultKind =
  | "refuse"
  | "hang"
  | "error500"
  | "error503"
  | "access-denied"
  | "unauthenticated"
  | "disabled"
  | "not-found"
  | "invalid-ciphertext"
  | "garbage"
  | "error-html"
  | "wrong-plaintext"
  | "lost-answer"
  | "reset-mid-body"
  | "reset-on-reuse";

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
    /** Retry-After in seconds: 1 unless said otherwise, and none at all with null. */
    | { readonly kind: "throttle"; readonly retryAfter?: number | null }
  );

/** Where a fault may strike: a connection as it is accepted, or a request that carries a token. */
export type Moment =
  | { readonly at: "connection" }
  | { readonly at: "request"; readonly operation: string; readonly reused: boolean };

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
  if (fault.operation !== undefined && fault.operation !== moment.operation) return false;
  if (fault.kind === "reset-on-reuse") return moment.reused;
  if (fault.kind === "wrong-plaintext") return moment.operation === "Decrypt" || moment.operation === "UnwrapKey";
  return true;
};
