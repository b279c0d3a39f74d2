import type { Change } from "#core/catalog.ts";
import type { Failure, ProviderFault } from "#core/failures.ts";
import { createId } from "#core/ids.ts";
import type { WrapRecord } from "#core/records.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { BrokerParts } from "./parts.ts";
import { isHolder } from "./write-wrap.ts";

type UnwrapFault = { readonly wrap: WrapRecord; readonly provider: string; readonly fault: ProviderFault };

/**
 * What a failed unwrap means for the wrap. A shared recipient is not the key: its wrap is quarantined and somebody is told, the others
 * go on. A refusal of access is first held against the canary key: if that is refused too, it is our standing and not this key.
 */
export function afterUnwrapFault(parts: BrokerParts, { wrap, provider, fault }: UnwrapFault): void {
  const { failure } = fault;
  if (failure === "DENIED") {
    void afterDenied(parts, { wrap, provider, fault });
  } else if (QUARANTINES.has(failure)) {
    void quarantine(parts, wrap, { provider, fault });
  } else if (ALARMS.has(failure)) {
    parts.onAlarm({ kind: failure.toLowerCase(), detail: fault.detail, ids: { provider, binding: wrap.id } });
  }
}

const QUARANTINES: ReadonlySet<Failure> = new Set(["BAD_WRAP", "STATE", "NOT_FOUND"]);
const ALARMS: ReadonlySet<Failure> = new Set(["CREDENTIALS", "EXHAUSTED", "INTERNAL"]);

async function afterDenied(parts: BrokerParts, { wrap, provider, fault }: UnwrapFault): Promise<void> {
  const worksElsewhere = await probeCanary(parts, provider);
  if (worksElsewhere) await quarantine(parts, wrap, { provider, fault });
  else
    parts.onAlarm({
      kind: "credentials",
      detail: "access is denied, to the canary key too",
      ids: { provider, binding: wrap.id },
    });
}

async function probeCanary(parts: BrokerParts, name: string): Promise<boolean> {
  const member = parts.fleet.member(name);
  const { canary } = member ?? {};
  if (!isHolder(member) || canary === undefined) return false;
  try {
    await parts.pool.call(name, "data", "probe", async (call) => await member.provider.probe(canary, call), {
      deadline: new Deadline(parts.settings.deadlineMs, parts.sources),
      requestId: createId("req", parts.sources),
    });
    return true;
  } catch {
    return false;
  }
}

async function quarantine(
  parts: BrokerParts,
  wrap: WrapRecord,
  { provider, fault }: Omit<UnwrapFault, "wrap">,
): Promise<void> {
  parts.onAlarm({
    kind: "quarantine",
    detail: fault.detail,
    ids: { provider, binding: wrap.id, branch: wrap.branch, class: fault.failure },
  });
  const reason = {
    class: fault.failure.toLowerCase().replaceAll("_", "-"),
    since: parts.sources.clock.now(),
    evidence: evidenceOf(fault),
  };
  try {
    await parts.store.change((catalog) => setQuarantine(catalog, wrap, reason));
  } catch (error) {
    parts.onAlarm({
      kind: "quarantine-not-written",
      detail: error instanceof Error ? error.message : "unknown",
      ids: { binding: wrap.id },
    });
  }
}

function evidenceOf({ nativeCode, requestId, detail }: ProviderFault): string {
  return [nativeCode, requestId, detail].filter((part) => part !== undefined).join(" · ");
}

/** Writes or clears the quarantine of a wrap that is still there and says something else. */
export function setQuarantine(
  catalog: BrokerParts["catalog"],
  wrap: WrapRecord,
  reason: WrapRecord["quarantine"],
): Change<undefined> {
  const current = catalog.wraps(wrap.branch, wrap.branchVersion).find(({ id }) => id === wrap.id);
  if (current === undefined || (current.quarantine === null) === (reason === null))
    return { mutations: [], result: undefined };
  const record: WrapRecord = { ...current, quarantine: reason };
  return {
    mutations: [{ table: "wraps", id: wrap.id, record, ifRevision: catalog.revisionOf("wraps", wrap.id) }],
    result: undefined,
  };
}
