import type { AuditAttempt } from "#core/audit.ts";

/** What an operation leaves for the audit trail and for the answer: the provider calls made for it. */
export type Trace = { readonly attempts: AuditAttempt[] };

/** The provider calls of the loads that are under way, by branch version: who waits for a load tells of its calls. */
export type Flights = Map<string, AuditAttempt[]>;
