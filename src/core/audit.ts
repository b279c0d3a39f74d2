/** What happened, for the trail: who, what, which key and version, which provider and its request id, outcome, latency. */
export type AuditEvent = {
  readonly time: number;
  readonly requestId: string;
  readonly client: string;
  readonly credential: string | null;
  readonly namespace: string;
  readonly door: string;
  /** `encrypt`, `keys.create`, `providers.drain`, … */
  readonly operation: string;
  readonly key: string | null;
  readonly keyVersion: number | null;
  /** `gateway` or a provider. */
  readonly provider: string | null;
  readonly attempts: readonly AuditAttempt[];
  /** `ok`, or the error code. */
  readonly outcome: string;
  readonly latencyMs: number;
  /** Outcomes of the items of a batch, in order, run-length: `[["ok", 99], ["CIPHERTEXT_INVALID", 1]]`. */
  readonly items?: readonly (readonly [outcome: string, count: number])[];
  /** For changes: reason, ticket, and what changed; no secrets. */
  readonly detail?: Readonly<Record<string, string>>;
};

export type AuditAttempt = {
  readonly provider: string;
  readonly operation: string;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly latencyMs: number;
};

/** A filter of the trail; all members must fit. Times are epoch milliseconds. */
export type AuditQuery = {
  readonly namespace?: string;
  readonly key?: string;
  readonly client?: string;
  readonly operation?: string;
  readonly outcome?: string;
  readonly requestId?: string;
  readonly since?: number;
  readonly until?: number;
};

/** `sequence` counts per process, over restarts. */
export type StoredAuditEvent = AuditEvent & { readonly sequence: number; readonly process: string };

/** The append-only trail. */
export interface AuditTrail extends AsyncDisposable {
  /**
   * Resolves when the record is written (grouped with others; `sync: true` waits for the disk as well, for changes).
   * @throws KmsError `AUDIT_UNAVAILABLE` if it cannot be: the operation then fails.
   */
  append(event: AuditEvent, options?: { readonly sync?: boolean }): Promise<void>;
  /** Newest first, `limit` at most, starting before `before`: a sequence, or one per process where several write. */
  query(
    query: AuditQuery,
    page: { readonly limit: number; readonly before?: number | Readonly<Record<string, number>> },
  ): Promise<readonly StoredAuditEvent[]>;
  /** Whether the last append worked. */
  readonly available: boolean;
}
