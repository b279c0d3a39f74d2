/** Which of a provider's two credentials and breakers a call is for. */
export type CallPlane = "data" | "control";

/** What a breaker shows of itself: a snapshot for plans, reports and metrics. Times are epoch milliseconds. */
export type BreakerSnapshot = {
  readonly state: "closed" | "open" | "half-open";
  readonly sinceTime: number | null;
  readonly nextProbeTime: number | null;
  /** In the rolling window. */
  readonly calls: number;
  readonly failures: number;
  /** Null while too few calls were seen. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly inFlight: number;
};

/** What a plan reads of a breaker: it asks before every call, and counting costs. */
export type BreakerStanding = Pick<BreakerSnapshot, "state" | "nextProbeTime" | "p99Ms">;

/** The share of its traffic that a provider may take now, 0..1: less than 1 while it ramps up after an outage. */
export type ProviderHealth = { readonly data: BreakerSnapshot; readonly control: BreakerSnapshot };
