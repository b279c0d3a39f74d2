import { KmsError } from "#core/errors.ts";
import type { Capabilities } from "#core/provider.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/**
 * What a provider offers, with its limits.
 *
 * @throws {KmsError} `NOT_FOUND` for a provider that is not configured, `NO_PROVIDER` for one that could not be opened yet
 */
export function getCapabilities(parts: BrokerParts, caller: Caller, name: string): Capabilities {
  requirePermission(caller, "providers.read");
  const member = parts.fleet.member(name);
  if (member === undefined)
    throw new KmsError("NOT_FOUND", "no such provider is configured", { metadata: { provider: name } });
  if (member.provider === undefined) {
    const because = member.misconfigured?.reason ?? "it has not been opened yet";
    throw new KmsError("NO_PROVIDER", `what it offers is not known: ${because}`, { metadata: { provider: name } });
  }
  return member.provider.capabilities;
}
