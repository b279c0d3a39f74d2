import type { Catalog, Heartbeat, IdempotencyEntry } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { ProviderFault } from "#core/failures.ts";
import type { BreakerSnapshot, ProviderHealth } from "#core/health.ts";
import type { DrainRecord, WrapRecord } from "#core/records.ts";
import { audited } from "./audited.ts";
import type { Caller, Changed } from "./caller.ts";
import { currentName, type FleetMember } from "./fleet.ts";
import { primaryVersion } from "./operate.ts";
import { unwrap } from "./load-branch-key.ts";
import { namespaceOf } from "./branch.ts";
import { once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import { setQuarantine } from "./quarantine.ts";
import { requirePermission } from "./require.ts";
import { isHolder } from "./write-wrap.ts";

export type ProviderStatus = "misconfigured" | "drained" | "down" | "degraded" | "up";

/** A provider as one gateway sees it. */
export type GatewayReport = ProviderHealth & { readonly gateway: string; readonly reportTime: number };

export type ProviderView = {
  readonly member: FleetMember;
  readonly status: ProviderStatus;
  readonly statusReason: string | null;
  readonly drain: DrainRecord | null;
  /** Keys whose every usable wrap is here. */
  readonly keysServedOnlyHere: number;
  readonly missingWraps: number;
  readonly lastSuccessTime: number | null;
  readonly lastFailure: { readonly fault: ProviderFault; readonly operation: string; readonly time: number } | null;
  readonly gateways: readonly GatewayReport[];
};

/** Reports older than this are left out. */
const REPORT_MS = 15_000;

export async function listProviders(parts: BrokerParts, caller: Caller): Promise<readonly ProviderView[]> {
  requirePermission(caller, "providers.read");
  return await viewAll(parts);
}

export async function getProvider(parts: BrokerParts, caller: Caller, name: string): Promise<ProviderView> {
  requirePermission(caller, "providers.read");
  return await viewOne(parts, name);
}

/** Takes a provider out of every plan, on every gateway within a second, until it is restored. */
export async function drainProvider(
  parts: BrokerParts,
  caller: Caller,
  name: string,
  reason: string,
): Promise<Changed<ProviderView>> {
  return await operateProvider(
    parts,
    caller,
    { name, operation: "providers.drain", detail: { provider: name, reason } },
    async (entry) => {
      await writeDrain(parts, caller, { name, drained: true, share: 0, reason, entry });
    },
  );
}

export async function restoreProvider(
  parts: BrokerParts,
  caller: Caller,
  name: string,
  share: number,
): Promise<Changed<ProviderView>> {
  return await operateProvider(
    parts,
    caller,
    { name, operation: "providers.restore", detail: { provider: name, share: String(share) } },
    async (entry) => {
      await writeDrain(parts, caller, { name, drained: false, share, reason: "", entry });
    },
  );
}

/**
 * Asks the canary key now, and tries every quarantined wrap there once more: one that opens to what its commitment says is used again,
 * since a person has asked.
 */
export async function probeProvider(parts: BrokerParts, caller: Caller, name: string): Promise<Changed<ProviderView>> {
  return await operateProvider(
    parts,
    caller,
    { name, operation: "providers.probe", detail: { provider: name } },
    async (entry) => {
      await probeNow(parts, caller, name);
      if (entry !== undefined)
        await parts.store.change(() => ({ mutations: [], result: undefined, idempotency: entry }));
    },
  );
}

async function probeNow(parts: BrokerParts, caller: Caller, name: string): Promise<void> {
  const member = parts.fleet.member(name);
  const { canary } = member ?? {};
  if (!isHolder(member) || canary === undefined) return;
  const options = { deadline: caller.deadline, requestId: caller.requestId };
  const works = await parts.pool
    .call(name, "data", "probe", async (call) => await member.provider.probe(canary, call), options)
    .then(
      () => true,
      () => false,
    );
  if (works) await releaseQuarantined(parts, caller, member);
}

type Operated = {
  readonly name: string;
  readonly operation: string;
  readonly detail: Readonly<Record<string, string>>;
};

async function operateProvider(
  parts: BrokerParts,
  caller: Caller,
  told: Operated,
  run: (entry: IdempotencyEntry | undefined) => Promise<void>,
): Promise<Changed<ProviderView>> {
  requirePermission(caller, "providers.operate");
  await viewOne(parts, told.name);
  return await once(parts, caller, {
    again: async () => await viewOne(parts, told.name),
    run: async (keep) => {
      await audited(parts, caller, told, async () => {
        if (!caller.dryRun) await run(keep(200, `/v1/providers/${told.name}`));
      });
      return { value: await viewOne(parts, told.name), status: 200 };
    },
  });
}

type NewDrain = {
  readonly name: string;
  readonly drained: boolean;
  readonly share: number;
  readonly reason: string;
  readonly entry: IdempotencyEntry | undefined;
};

async function writeDrain(
  parts: BrokerParts,
  caller: Caller,
  { name, drained, share, reason, entry }: NewDrain,
): Promise<void> {
  await parts.store.change((catalog) => {
    const record: DrainRecord = {
      provider: name,
      drained,
      // records hold integers: the share in thousandths
      share: Math.round(share * 1000),
      by: caller.principal.client.person,
      reason,
      time: parts.sources.clock.now(),
    };
    return {
      mutations: [{ table: "drains", id: name, record, ifRevision: catalog.revisionOf("drains", name) }],
      result: undefined,
      ...(entry === undefined ? {} : { idempotency: entry }),
    };
  });
}

async function releaseQuarantined(parts: BrokerParts, caller: Caller, member: FleetMember): Promise<void> {
  for (const wrap of quarantinedAt(parts.catalog, member)) {
    const recipient = parts.catalog.recipient(wrap.recipient);
    const branch = parts.catalog.branch(wrap.branch);
    const branchVersion = parts.catalog.branchVersion(wrap.branch, wrap.branchVersion);
    if (recipient === undefined || branch === undefined || branchVersion === undefined) continue;
    const input = {
      namespace: namespaceOf(parts.catalog, branch.namespace),
      branchVersion,
      wrap,
      recipient,
      provider: member.name,
    };
    try {
      const key = await unwrap(parts, input, { deadline: caller.deadline, requestId: caller.requestId });
      key.fill(0);
      await parts.store.change((catalog) => setQuarantine(catalog, wrap, null));
    } catch (error) {
      parts.onAlarm({
        kind: "still-quarantined",
        detail: error instanceof Error ? error.message : "unknown",
        ids: { binding: wrap.id },
      });
    }
  }
}

function quarantinedAt(catalog: Catalog, member: FleetMember): readonly WrapRecord[] {
  const found: WrapRecord[] = [];
  for (const branch of catalog.branches()) {
    for (const { version } of catalog.branchVersions(branch.id)) {
      for (const wrap of catalog.wraps(branch.id, version)) {
        if (wrap.quarantine !== null && catalog.recipient(wrap.recipient)?.providerUid === member.uid) found.push(wrap);
      }
    }
  }
  return found;
}

async function viewOne(parts: BrokerParts, name: string): Promise<ProviderView> {
  const found = (await viewAll(parts)).find(({ member }) => member.name === name);
  if (found === undefined)
    throw new KmsError("NOT_FOUND", "no such provider is configured", { metadata: { provider: name } });
  return found;
}

async function viewAll(parts: BrokerParts): Promise<readonly ProviderView[]> {
  const beats = await parts.store.heartbeats();
  const only = countServedOnly(parts);
  const missing = countMissing(parts);
  return [...parts.fleet.members()].map((member) => {
    const gateways = reportsOf(parts, beats, member.name);
    const drain = parts.catalog.drain(member.name) ?? null;
    return {
      member,
      ...statusOf(parts, member, { gateways, drain }),
      drain,
      keysServedOnlyHere: only.get(member.name) ?? 0,
      missingWraps: missing.get(member.name) ?? 0,
      lastSuccessTime: parts.pool.lastSuccess(member.name),
      lastFailure: parts.pool.lastFailure(member.name),
      gateways,
    };
  });
}

function statusOf(
  parts: BrokerParts,
  member: FleetMember,
  { gateways, drain }: { readonly gateways: readonly GatewayReport[]; readonly drain: DrainRecord | null },
): { readonly status: ProviderStatus; readonly statusReason: string | null } {
  const failure = parts.pool.lastFailure(member.name)?.fault;
  if (member.misconfigured !== undefined) return { status: "misconfigured", statusReason: member.misconfigured.reason };
  if (
    parts.pool.lastSuccess(member.name) === null &&
    (failure?.failure === "CREDENTIALS" || failure?.failure === "DENIED")
  ) {
    return { status: "misconfigured", statusReason: failure.detail };
  }
  if (drain?.drained === true) return { status: "drained", statusReason: drain.reason };
  const open = gateways.filter(({ data }) => data.state === "open").length;
  if (open > 0 && open === gateways.length) return { status: "down", statusReason: failure?.detail ?? null };
  if (member.canary === undefined)
    return { status: "down", statusReason: failure?.detail ?? "it has not answered yet" };
  const degraded =
    open > 0 || gateways.some(({ data, control }) => data.state !== "closed" || control.state !== "closed");
  return degraded
    ? { status: "degraded", statusReason: failure?.detail ?? null }
    : { status: "up", statusReason: null };
}

function reportsOf(parts: BrokerParts, beats: readonly Heartbeat[], name: string): readonly GatewayReport[] {
  const now = parts.sources.clock.now();
  const own: GatewayReport = { gateway: parts.settings.process, reportTime: now, ...parts.pool.health(name) };
  const others = beats.flatMap((beat) => {
    if (beat.process === parts.settings.process || now - beat.time > REPORT_MS) return [];
    const health = parseReport(beat.report, name);
    return health === undefined ? [] : [{ gateway: beat.process, reportTime: beat.time, ...health }];
  });
  return [own, ...others];
}

/** What a process says of its providers in its heartbeat. */
export function writeReport(parts: BrokerParts): string {
  return JSON.stringify(
    Object.fromEntries([...parts.fleet.members()].map(({ name }) => [name, parts.pool.health(name)])),
  );
}

/** What another process says of a provider: nothing that is trusted, and perhaps another version's. */
function parseReport(report: string, name: string): ProviderHealth | undefined {
  try {
    const health = (JSON.parse(report) as Record<string, Partial<ProviderHealth> | null> | null)?.[name];
    const { data, control } = health ?? {};
    return isSnapshot(data) && isSnapshot(control) ? { data, control } : undefined;
  } catch {
    return undefined;
  }
}

function isSnapshot(value: Partial<BreakerSnapshot> | null | undefined): value is BreakerSnapshot {
  const { state, calls, failures, inFlight, sinceTime, nextProbeTime, p50Ms, p99Ms } = value ?? {};
  return (
    (state === "closed" || state === "open" || state === "half-open") &&
    [calls, failures, inFlight].every((count) => Number.isSafeInteger(count)) &&
    [sinceTime, nextProbeTime].every((time) => time === null || isTime(time)) &&
    [p50Ms, p99Ms].every((ms) => ms === null || Number.isFinite(ms))
  );
}

/** Whether a number can be written as a date. */
function isTime(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(new Date(value).getTime());
}

/** Which holders' wraps stand for a branch version, once per branch version and not per key. */
function holdersByBranch(parts: BrokerParts): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, readonly string[]>();
  for (const branch of parts.catalog.branches()) {
    for (const { version } of parts.catalog.branchVersions(branch.id)) {
      const names = parts.catalog.wraps(branch.id, version).flatMap((wrap) => {
        const uid = parts.catalog.recipient(wrap.recipient)?.providerUid;
        return wrap.quarantine === null && uid !== undefined ? [parts.fleet.memberByUid(uid)?.name ?? uid] : [];
      });
      holders.set(`${branch.id}/${version}`, names);
    }
  }
  return holders;
}

function countServedOnly(parts: BrokerParts): ReadonlyMap<string, number> {
  const holders = holdersByBranch(parts);
  const counts = new Map<string, number>();
  for (const { name } of parts.catalog.namespaces()) {
    for (const key of parts.catalog.keys(name)) {
      const version = parts.catalog.version(key.id, primaryVersion(parts, key) ?? key.latestVersion);
      const [only, ...others] = holders.get(`${version?.branch}/${version?.branchVersion}`) ?? [];
      if (only !== undefined && others.length === 0 && name !== "system") counts.set(only, (counts.get(only) ?? 0) + 1);
    }
  }
  return counts;
}

/** How many wraps each provider still owes. */
export function countMissing(parts: BrokerParts): ReadonlyMap<string, number> {
  const holders = holdersByBranch(parts);
  const counts = new Map<string, number>();
  for (const branch of parts.catalog.branches()) {
    for (const { version } of parts.catalog.branchVersions(branch.id)) {
      const holding = holders.get(`${branch.id}/${version}`) ?? [];
      for (const recipient of branch.recipients) {
        const name = currentName(parts.fleet, recipient);
        if (!holding.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
  }
  return counts;
}
