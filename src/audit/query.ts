import { join } from "node:path";
import type { AuditQuery, StoredAuditEvent } from "#core/audit.ts";
import { linesBackwards } from "./read-backwards.ts";
import { isCheckpoint, parseLine } from "./record.ts";
import { listChains, type SegmentName } from "./segment-name.ts";

/** At most `limit`, starting before a sequence: of the one chain there is, or per process. */
export type TrailPage = { readonly limit: number; readonly before?: number | Readonly<Record<string, number>> };

const EQUAL = ["namespace", "key", "client", "operation", "outcome", "requestId"] as const;

/**
 * Finds events, newest first. Reads every process's chain from its end and joins them by time; within a process the order is that of the
 * sequence. Reads no further back than `since` asks for.
 */
export async function queryTrail(
  folder: string,
  query: AuditQuery,
  { limit, before = {} }: TrailPage,
): Promise<readonly StoredAuditEvent[]> {
  const chains = listChains(folder)
    .entries()
    .map(([process, segments]) => {
      const bound = typeof before === "number" ? before : (before[process] ?? Infinity);
      return eventsOf(folder, segments, { query, before: bound });
    });
  const found: StoredAuditEvent[] = [];
  for await (const event of newestFirst([...chains])) {
    if (found.length >= limit) break;
    found.push(event);
  }
  return found;
}

async function* newestFirst(chains: AsyncGenerator<StoredAuditEvent>[]): AsyncGenerator<StoredAuditEvent> {
  const heads = await Promise.all(chains.map((chain) => chain.next()));
  try {
    for (;;) {
      let newest = -1;
      let time = -Infinity;
      for (const [index, head] of heads.entries()) {
        if (head.done === true || head.value.time < time) continue;
        newest = index;
        ({ time } = head.value);
      }
      const head = heads[newest];
      const chain = chains[newest];
      if (head === undefined || head.done === true || chain === undefined) return;
      yield head.value;
      heads[newest] = await chain.next();
    }
  } finally {
    await Promise.all(chains.map((chain) => chain.return(undefined)));
  }
}

type Search = { readonly query: AuditQuery; readonly before: number };

async function* eventsOf(
  folder: string,
  segments: readonly SegmentName[],
  { query, before }: Search,
): AsyncGenerator<StoredAuditEvent> {
  const wanted = EQUAL.flatMap((name) => (query[name] === undefined ? [] : `"${name}":${JSON.stringify(query[name])}`));
  const since = query.since ?? -Infinity;
  for (const { file, process, startTime } of segments.toReversed()) {
    for await (const line of linesBackwards(join(folder, file))) {
      const isBorder = line.includes('"type":"checkpoint"');
      if (!isBorder && !wanted.every((text) => line.includes(text))) continue; // before it is parsed: most lines of a search end here
      const record = parseLine(line);
      if (record === undefined) continue;
      if (isCheckpoint(record) && record.time < since) return; // all before it was written before it, and happened before that
      if (record["type"] !== undefined || record.sequence >= before) continue;
      const event = storedEvent(record, process);
      if (fits(event, query)) yield event;
    }
    if (startTime < since) return;
  }
}

function storedEvent(record: Readonly<Record<string, unknown>>, process: string): StoredAuditEvent {
  const { previous: _previous, ...event } = record;
  return { ...event, process } as unknown as StoredAuditEvent; // written by Chain.event; the verifier tells whether it still is what was written
}

function fits(event: StoredAuditEvent, query: AuditQuery): boolean {
  if (query.since !== undefined && event.time < query.since) return false;
  if (query.until !== undefined && event.time > query.until) return false;
  return EQUAL.every((name) => query[name] === undefined || event[name] === query[name]);
}
