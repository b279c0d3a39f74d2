import { statfsSync } from "node:fs";
import type { BrokerParts } from "#broker/parts.ts";
import { replicationOf } from "#broker/key-view.ts";
import { countMissing } from "#broker/providers.ts";
import { BREAKER_VALUES, type Observed } from "./metrics.ts";

/** Numbers that are looked up when the metrics are read; nothing before the gateway stands. `auditFolder` holds the trail. */
export function observe(find: () => BrokerParts | undefined, auditFolder: string): Observed {
  return {
    breakers: () => breakers(find()),
    wrapsMissing: () => {
      const parts = find();
      return parts === undefined ? new Map() : countMissing(parts);
    },
    keysBelowMinimum: () => keysBelowMinimum(find()),
    auditFreeBytes: () => freeBytes(auditFolder),
    stalenessSeconds: () => {
      const parts = find();
      return parts === undefined ? 0 : Math.max(0, parts.sources.clock.monotonicMs() - parts.catalog.freshAtMs) / 1000;
    },
  };
}

/** What is left for the trail on its disk; without it every operation fails. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0; // it is gone: nothing can be written there
  }
}

function breakers(parts: BrokerParts | undefined): ReturnType<Observed["breakers"]> {
  if (parts === undefined) return [];
  return [...parts.fleet.members()].flatMap(({ name }) => {
    const drained = parts.catalog.drain(name)?.drained === true;
    const health = parts.pool.health(name);
    return (["data", "control"] as const).map((plane) => ({
      provider: name,
      plane,
      value: BREAKER_VALUES[drained ? "drained" : health[plane].state],
    }));
  });
}

/** Counted per branch version, and not per key: keys of one branch stand alike. */
function keysBelowMinimum(parts: BrokerParts | undefined): number {
  if (parts === undefined) return 0;
  const below = new Map<string, boolean>();
  let count = 0;
  for (const { name } of parts.catalog.namespaces()) {
    for (const key of parts.catalog.keys(name)) {
      const version = parts.catalog.version(key.id, key.primaryVersion ?? key.latestVersion);
      const place = `${version?.branch}/${version?.branchVersion}`;
      let isBelow = below.get(place);
      if (isBelow === undefined) {
        const { ready, minimum } = replicationOf(parts, key, version?.version ?? key.latestVersion);
        isBelow = ready < minimum;
        below.set(place, isBelow);
      }
      if (isBelow) count += 1;
    }
  }
  return count;
}
