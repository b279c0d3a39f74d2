import { AUDIT_VIEW } from "./audit-view.ts";
import type { Gateway, Query } from "./gateway.ts";
import { numberAt, type Resource, textAt } from "./resource.ts";
import type { Session } from "./session.ts";
import { renderRowsOf } from "./table.ts";
import { repeat } from "./watch.ts";

export type TrailRequest = { readonly filters: Query; readonly follow: boolean; readonly count: number };

const PERIOD_MS = 1000;
/** Events of other processes may arrive late: so far back is looked again. */
const OVERLAP_MS = 10_000;
const PAGE = 1000;

/** Shows the newest events, the newest last, and then, if asked, each that is added. */
export async function followTrail(session: Session, { filters, follow, count }: TrailRequest): Promise<void> {
  const gateway = await session.gateway();
  const latest = (await newest(gateway, filters, count)).toReversed();
  if (!follow) {
    await session.printList(latest, AUDIT_VIEW);
    return;
  }
  await printFirst(session, latest);
  const start = Math.max(session.sources.now() - OVERLAP_MS, ...latest.map(timeOf));
  await followFrom(session, {
    gateway,
    filters,
    seen: new Map(latest.map((event) => [idOf(event), timeOf(event)])),
    start,
  });
}

/** The gateway answers the newest first; reading ends where there are enough. */
async function newest(gateway: Gateway, filters: Query, count: number): Promise<readonly Resource[]> {
  const events: Resource[] = [];
  if (count === 0) return events;
  for await (const event of gateway.list("/v1/audit", { limit: String(Math.min(count, PAGE)), ...filters })) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

type Following = {
  readonly gateway: Gateway;
  readonly filters: Query;
  readonly seen: Map<string, number>;
  readonly start: number;
};

async function followFrom(session: Session, { gateway, filters, seen, start }: Following): Promise<void> {
  let last = start;
  await repeat(session, PERIOD_MS, async () => {
    const since = new Date(last - OVERLAP_MS).toISOString();
    const found = await Array.fromAsync(gateway.list("/v1/audit", { limit: String(PAGE), ...filters, since }));
    const fresh = found.filter((event) => !seen.has(idOf(event)) && timeOf(event) >= start - OVERLAP_MS).toReversed();
    for (const event of fresh) seen.set(idOf(event), timeOf(event));
    last = Math.max(last, ...fresh.map(timeOf));
    for (const [id, time] of seen) if (time < last - 2 * OVERLAP_MS) seen.delete(id);
    if (fresh.length > 0) await printMore(session, fresh);
  });
}

async function printFirst(session: Session, events: readonly Resource[]): Promise<void> {
  if (session.format === "table") await session.printList(events, AUDIT_VIEW);
  else await printMore(session, events);
}

/** What follows has no headings, and is one JSON text a line. */
async function printMore(session: Session, events: readonly Resource[]): Promise<void> {
  if (session.format === "table") await session.print(renderRowsOf(events, AUDIT_VIEW.columns, session.paint));
  else if (session.format === "json") await session.print(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  else if (events.length > 0) await session.printList(events, AUDIT_VIEW);
}

function idOf(event: Resource): string {
  return `${textAt(event, "process") ?? ""}/${numberAt(event, "sequence") ?? textAt(event, "requestId") ?? ""}`;
}

function timeOf(event: Resource): number {
  const time = Date.parse(textAt(event, "time") ?? "");
  return Number.isNaN(time) ? 0 : time;
}
