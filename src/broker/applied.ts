import type { BrokerParts } from "./parts.ts";

const WAIT_MS = 2000;
const POLL_MS = 20;
/** A process whose last beat is older is not alive (architecture.md, the change feed). */
const LIVE_MS = 10_000;

/**
 * Waits until every live process has applied what this one has, two seconds at most.
 * Answers the processes that have not: their names, empty when all obey.
 */
export async function awaitApplied(parts: BrokerParts): Promise<readonly string[]> {
  const { clock, scheduler } = parts.sources;
  const revision = parts.catalog.revision;
  const endMs = clock.monotonicMs() + WAIT_MS;
  for (;;) {
    const behind = await findBehind(parts, revision);
    if (behind.length === 0 || clock.monotonicMs() >= endMs) return behind;
    await new Promise<void>((resolve) => {
      scheduler.after(POLL_MS, resolve);
    });
  }
}

async function findBehind(parts: BrokerParts, revision: number): Promise<readonly string[]> {
  const now = parts.sources.clock.now();
  const beats = await parts.store.heartbeats();
  return beats
    .filter(
      (beat) => beat.process !== parts.settings.process && now - beat.time < LIVE_MS && beat.appliedRevision < revision,
    )
    .map((beat) => beat.process);
}
