import { KmsError } from "#core/errors.ts";
import type { Provider } from "#core/provider.ts";
import type { Config } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { systemSources } from "./system-sources.ts";

/**
 * Opens one provider of a configuration.
 *
 * @throws {KmsError} `NOT_FOUND` for a provider that the configuration does not have, `NO_PROVIDER` for one that does not open
 */
export async function openProvider(config: Config, name: string, dataFolder: string): Promise<Provider> {
  const found = config.providers.find((provider) => provider.name === name);
  const load = found === undefined ? undefined : PROVIDER_KINDS[found.kind];
  if (found === undefined || load === undefined) {
    const known = config.providers.map((provider) => provider.name).join(", ");
    const help = `name one of ${known === "" ? "the providers that you add to it" : known}`;
    throw new KmsError("NOT_FOUND", `the configuration has no provider ${name}`, {
      metadata: { provider: name },
      help,
    });
  }
  try {
    const kind = await load();
    return await kind.open({ name, options: found.options, dataFolder, sources: systemSources() });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "for no reason that it tells";
    throw new KmsError("NO_PROVIDER", `${name} does not open: ${why}`, { metadata: { provider: name }, cause });
  }
}
