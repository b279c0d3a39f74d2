import type { Capabilities, Provider, ProviderKind } from "#core/provider.ts";
import type { Sources } from "#core/clock.ts";
import type { FleetEntry } from "#broker/open-fleet.ts";
import type { ProviderFacts } from "#policy/policy.ts";
import type { ProviderConfig } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";

/** What the fleet needs of each configured provider. */
export function fleetEntries(
  providers: readonly ProviderConfig[],
  { dataFolder, sources }: { dataFolder: string; sources: Sources },
): readonly FleetEntry[] {
  return providers.map((config) => ({
    name: config.name,
    kind: config.kind,
    factsOf: (capabilities) => factsOf(config, capabilities),
    open: async () => await openProvider(config, { dataFolder, sources }),
  }));
}

async function openProvider(
  config: ProviderConfig,
  { dataFolder, sources }: { dataFolder: string; sources: Sources },
): Promise<Provider> {
  const load = PROVIDER_KINDS[config.kind];
  if (load === undefined) throw new Error(`there is no provider kind ${config.kind}`);
  const kind: ProviderKind<unknown> = await load();
  return await kind.open({ name: config.name, options: config.options, dataFolder, sources });
}

/** What an operator says of a provider, and where nothing is said what its kind says. Before it is open the least is assumed. */
function factsOf(config: ProviderConfig, capabilities: Capabilities | undefined): ProviderFacts {
  return {
    name: config.name,
    kind: config.kind,
    failureDomain: config.failureDomain,
    jurisdiction: config.jurisdiction,
    entity: config.entity ?? capabilities?.entity ?? [],
    // what runs in software is never more than that, whatever a configuration says
    protection:
      capabilities?.protection === "software"
        ? "software"
        : (config.protection ?? capabilities?.protection ?? "software"),
    rows: capabilities?.rows,
  };
}
