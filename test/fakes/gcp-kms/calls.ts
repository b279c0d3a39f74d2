/** One request that was read in full. */
export type Call = {
  readonly operation: string;
  /** The resource that the request names: its name, or else its parent or location. */
  readonly name: string | undefined;
  /** The request as it came: secrets included, for assertions only. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly timeMs: number;
  /** The bearer token that came with it. */
  readonly token: string | undefined;
  /** "ok", the name of the status, the kind of the fault, or "open" while it runs. */
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

  /** Requests per operation. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { operation } of this.#calls) counts[operation] = (counts[operation] ?? 0) + 1;
    return counts;
  }

  clear(): void {
    this.#calls = [];
  }
}
