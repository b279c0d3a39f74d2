/** One request that was read in full. */
export type Call = {
  /** Microsoft's name of it, such as "WrapKey"; "Challenge" for a request without a token. */
  readonly operation: string;
  readonly keyName: string | undefined;
  readonly keyVersion: string | undefined;
  /** The request as it came: secrets included, for assertions only. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly timeMs: number;
  readonly requestId: string;
  /** "ok", the inner code or else the code of the error, the kind of the fault, or "open" while it runs. */
  readonly outcome: string;
};

export type OpenCall = { -readonly [field in keyof Call]: Call[field] };

/** What was asked, in order. */
export class CallLog {
  #calls: OpenCall[] = [];

  open(call: Omit<Call, "outcome">): OpenCall {
    const entry = { ...call, outcome: "open" };
    this.#calls.push(entry);
    return entry;
  }

  get all(): readonly Call[] {
    return this.#calls;
  }

  of(operation: string): readonly Call[] {
    return this.#calls.filter((call) => call.operation === operation);
  }

  /** How often an operation was asked; all of them together without a name. */
  count(operation?: string): number {
    return operation === undefined ? this.#calls.length : this.of(operation).length;
  }

  clear(): void {
    this.#calls = [];
  }
}
