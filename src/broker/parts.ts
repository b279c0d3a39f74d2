import type { AuditTrail } from "#core/audit.ts";
import type { Catalog, Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import type { StatementSigner } from "#core/statements.ts";
import type { Journal } from "#core/journal.ts";
import type { BranchKeys } from "#envelope/branch-keys.ts";
import type { MessageIdSource } from "#envelope/message-id.ts";
import type { VersionKeys } from "#envelope/version-keys.ts";
import type { Policy } from "#policy/policy.ts";
import type { ProviderPool } from "#resilience/provider-pool.ts";
import type { Fleet } from "./fleet.ts";
import type { ImportKeys } from "./import-keys.ts";
import type { PublicKeyObjects } from "./public-key-objects.ts";
import type { Flights } from "./trace.ts";

/** Bounds that the configuration sets, in milliseconds. */
export type BrokerSettings = {
  /** The gateway's own name, in plans and reports. */
  readonly gateway: string;
  /** This process, among those of the store. */
  readonly process: string;
  readonly deadlineMs: number;
  readonly protectStalenessMs: number;
  readonly processStalenessMs: number;
  readonly hardTtlMs: number;
};

/** What the use cases work with; built once, at the composition root. */
export type BrokerParts = {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly audit: AuditTrail;
  readonly journal: Journal;
  readonly sources: Sources;
  readonly policy: () => Policy;
  readonly fleet: Fleet;
  readonly pool: ProviderPool;
  readonly branchKeys: BranchKeys;
  readonly versionKeys: VersionKeys;
  readonly messageIds: MessageIdSource;
  readonly publicKeys: PublicKeyObjects;
  readonly importKeys: ImportKeys;
  readonly statements: StatementSigner;
  readonly settings: BrokerSettings;
  readonly flights: Flights;
  /** Idempotency-Keys whose first request runs now. */
  readonly running: Set<string>;
  /** Placements whose first branch a request is making now; resolved, never rejected, when it has ended. */
  readonly placing: Map<string, Promise<void>>;
  /** Bindings whose provider's key is brought to its state now; resolved or rejected as that ends. */
  readonly settling: Map<string, Promise<boolean>>;
  /** Told of what a person should look at: quarantines, integrity failures. */
  readonly onAlarm: (alarm: Alarm) => void;
};

/** Something for a person; logged, and a number in the metrics. */
export type Alarm = { readonly kind: string; readonly detail: string; readonly ids: Readonly<Record<string, string>> };
