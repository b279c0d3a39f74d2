import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { BreakerSnapshot } from "#core/health.ts";

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** The values of `claviger_breaker_state`. */
export const BREAKER_VALUES: Readonly<Record<BreakerSnapshot["state"] | "drained", number>> = {
  closed: 0,
  "half-open": 1,
  open: 2,
  drained: 3,
};

/** What is looked up when somebody asks for the numbers. */
export type Observed = {
  readonly breakers: () => Iterable<{ readonly provider: string; readonly plane: string; readonly value: number }>;
  readonly wrapsMissing: () => ReadonlyMap<string, number>;
  readonly keysBelowMinimum: () => number;
  readonly stalenessSeconds: () => number;
  readonly auditFreeBytes: () => number;
};

/** The metrics of a gateway; their names are an interface (api.md § 10). */
export type Metrics = {
  readonly request: (labels: { door: string; operation: string; code: string }, seconds: number) => void;
  readonly providerCall: (labels: { provider: string; operation: string; outcome: string }, seconds: number) => void;
  readonly lastResort: (provider: string) => void;
  readonly branchKey: (result: string) => void;
  readonly auditAppend: (seconds: number) => void;
  readonly write: () => Promise<{ readonly text: string; readonly contentType: string }>;
};

export function createMetrics(observed: Observed): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const requests = new Counter({
    name: "claviger_requests_total",
    help: "Requests by door, operation and code",
    labelNames: ["door", "operation", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "claviger_request_duration_seconds",
    help: "Time to answer",
    labelNames: ["door", "operation"],
    buckets: SECONDS,
    registers,
  });
  const calls = new Counter({
    name: "claviger_provider_calls_total",
    help: "Calls to providers by outcome",
    labelNames: ["provider", "operation", "outcome"],
    registers,
  });
  const callDurations = new Histogram({
    name: "claviger_provider_call_duration_seconds",
    help: "Time of calls to providers",
    labelNames: ["provider", "operation"],
    buckets: SECONDS,
    registers,
  });
  const lastResorts = new Counter({
    name: "claviger_last_resort_total",
    help: "Calls through an open breaker, as nobody else is left",
    labelNames: ["provider"],
    registers,
  });
  let hits = 0; // of every operation, so they are counted here and told when somebody asks
  const branchKeys = new Counter({
    name: "claviger_branch_key_cache_total",
    help: "Branch keys by how they were had",
    labelNames: ["result"],
    registers,
    collect() {
      if (hits > 0) this.inc({ result: "hit" }, hits);
      hits = 0;
    },
  });
  const audit = new Histogram({
    name: "claviger_audit_append_duration_seconds",
    help: "Time to write to the trail",
    buckets: SECONDS,
    registers,
  });
  addGauges(registers, observed);
  return {
    request: ({ door, operation, code }, seconds) => {
      requests.inc({ door, operation, code });
      durations.observe({ door, operation }, seconds);
    },
    providerCall: (labels, seconds) => {
      calls.inc(labels);
      callDurations.observe({ provider: labels.provider, operation: labels.operation }, seconds);
    },
    lastResort: (provider) => {
      lastResorts.inc({ provider });
    },
    branchKey: (result) => {
      if (result === "hit") hits += 1;
      else branchKeys.inc({ result });
    },
    auditAppend: (seconds) => {
      audit.observe(seconds);
    },
    write: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

function addGauges(registers: Registry[], observed: Observed): void {
  const gauges = [
    new Gauge({
      name: "claviger_breaker_state",
      help: "0 closed, 1 half-open, 2 open, 3 drained",
      labelNames: ["provider", "plane"],
      registers,
      collect() {
        for (const { provider, plane, value } of observed.breakers()) this.set({ provider, plane }, value);
      },
    }),
    new Gauge({
      name: "claviger_wraps_missing",
      help: "Wraps that a provider should hold and does not",
      labelNames: ["provider"],
      registers,
      collect() {
        this.reset();
        for (const [provider, count] of observed.wrapsMissing()) this.set({ provider }, count);
      },
    }),
    new Gauge({
      name: "claviger_keys_below_minimum",
      help: "Keys on fewer failure domains than their minimum",
      registers,
      collect() {
        this.set(observed.keysBelowMinimum());
      },
    }),
    new Gauge({
      name: "claviger_catalog_staleness_seconds",
      help: "Age of the last successful read of the store",
      registers,
      collect() {
        this.set(observed.stalenessSeconds());
      },
    }),
    new Gauge({
      name: "claviger_audit_free_bytes",
      help: "What the disk of the audit trail has left",
      registers,
      collect() {
        this.set(observed.auditFreeBytes());
      },
    }),
    new Gauge({
      name: "claviger_drift_open",
      help: "Open drifts; none while only wraps are held, which cannot drift",
      labelNames: ["kind", "severity"],
      registers,
    }),
  ];
  void gauges;
}
