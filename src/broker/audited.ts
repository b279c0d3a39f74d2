import type { AuditAttempt } from "#core/audit.ts";
import type { Caller } from "./caller.ts";
import { outcomeOf } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";

/** What the trail says of a change. */
export type AuditedChange = {
  /** `keys.create`, `keys.suspend`, … */
  readonly operation: string;
  readonly key?: string;
  /** Reason, ticket and what changes; no secrets. */
  readonly detail?: Readonly<Record<string, string>>;
};

/** What a change may add to its record while it runs. */
export type ChangeRecord = { key: string | null; keyVersion: number | null; readonly attempts: AuditAttempt[] };

/**
 * Runs a change between two records of the trail: `begun` on the disk before anything happens, the outcome before the answer. A change
 * that cannot be told is not made.
 *
 * @throws {KmsError} `AUDIT_UNAVAILABLE`
 */
export async function audited<T>(
  parts: BrokerParts,
  caller: Caller,
  change: AuditedChange,
  run: (record: ChangeRecord) => Promise<T>,
): Promise<T> {
  const record: ChangeRecord = { key: change.key ?? null, keyVersion: null, attempts: [] };
  const startMs = parts.sources.clock.monotonicMs();
  const write = async (outcome: string): Promise<void> => {
    const { client, credentialId } = caller.principal;
    await parts.audit.append(
      {
        time: parts.sources.clock.now(),
        requestId: caller.requestId,
        client: client.id,
        credential: credentialId,
        namespace: caller.namespace,
        door: caller.door,
        operation: change.operation,
        key: record.key,
        keyVersion: record.keyVersion,
        provider: null,
        attempts: outcome === "begun" ? [] : record.attempts,
        outcome,
        latencyMs: parts.sources.clock.monotonicMs() - startMs,
        detail: { person: client.person, ...change.detail, ...(caller.dryRun ? { dryRun: "true" } : {}) },
      },
      { sync: true },
    );
  };
  await write("begun");
  try {
    const value = await run(record);
    await write("ok");
    return value;
  } catch (error) {
    await write(outcomeOf(error));
    throw error;
  }
}
