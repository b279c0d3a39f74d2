import type { Command } from "commander";
import { parseShare } from "./arguments.ts";
import { segment } from "./gateway.ts";
import { createNoun, type DryRun, listingVerb, withDryRun } from "./noun.ts";
import { type Resource, resourcesAt, textAt } from "./resource.ts";
import type { Session } from "./session.ts";
import type { View } from "./table.ts";
import { showOrWatch } from "./watch.ts";

const PROVIDER_VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["STATUS", "status"],
    ["KIND", "kind"],
    ["DOMAIN", "failureDomain"],
    ["BREAKER", breakers],
    ["ONLY HERE", "keysServedOnlyHere"],
    ["MISSING", "missingWraps"],
    ["LAST SUCCESS", "lastSuccessTime"],
    ["WHY", "statusReason"],
  ],
};

const CAPABILITY_VIEW: View = {
  name: "algorithm",
  columns: [
    ["PURPOSE", "purpose"],
    ["ALGORITHM", "algorithm"],
    ["OPERATION", "operation"],
    ["FROM BYTES", "minInputBytes"],
    ["TO BYTES", "maxInputBytes"],
    ["CONTEXT", "context"],
    ["DIGESTS", "digests"],
  ],
};

/** Which providers there are and how they are; taking one out of service and giving it back. */
export function registerProviders(program: Command, session: Session): void {
  const providers = createNoun(program, "providers", "the key services behind the gateway");
  listingVerb(providers, "list the providers and their health")
    .option("--watch", "show again every two seconds")
    .action(async ({ watch = false }: { readonly watch?: boolean }) => {
      const gateway = await session.gateway();
      await showOrWatch(session, watch, async () => {
        await session.printList(await Array.fromAsync(gateway.list("/v1/providers")), PROVIDER_VIEW);
      });
    });
  providers
    .command("show <provider>")
    .description("show one provider")
    .action(async (provider: string) => {
      const gateway = await session.gateway();
      await session.printOne(await gateway.get(`/v1/providers/${segment(provider)}`), PROVIDER_VIEW);
    });
  providers
    .command("capabilities <provider>")
    .description("list what a provider offers: operations, algorithms, limits")
    .action(async (provider: string) => {
      const gateway = await session.gateway();
      const offered = await gateway.get(`/v1/providers/${segment(provider)}/capabilities`);
      await session.printList(resourcesAt(offered, "operations"), CAPABILITY_VIEW);
    });
  providers
    .command("probe <provider>")
    .description("ask a provider's canary key now")
    .action(async (provider: string) => {
      await changeProvider(session, `${segment(provider)}/probe`, {});
    });
  withDryRun(providers.command("drain <provider>"))
    .description("take a provider out of every plan until it is restored")
    .requiredOption("--reason <text>", "why")
    .action(async (provider: string, { reason, dryRun }: DryRun & { readonly reason: string }) => {
      await changeProvider(session, `${segment(provider)}/drain`, { body: { reason }, dryRun });
    });
  withDryRun(providers.command("restore <provider>"))
    .description("give a drained provider its traffic back")
    .option("--share <share>", "only this part of it, such as 0.1", parseShare)
    .action(async (provider: string, { share, dryRun }: DryRun & { readonly share?: number }) => {
      await changeProvider(session, `${segment(provider)}/restore`, { body: { share }, dryRun });
    });
}

async function changeProvider(
  session: Session,
  verb: string,
  { body = {}, dryRun }: DryRun & { readonly body?: unknown },
): Promise<void> {
  const gateway = await session.gateway();
  await session.printList([await gateway.change("POST", `/v1/providers/${verb}`, body, { dryRun })], PROVIDER_VIEW);
}

/** The data breakers as the gateways see them: one word if they agree. */
function breakers(provider: Resource): string | undefined {
  const states = new Set(
    resourcesAt(provider, "gateways").map((gateway) => textAt(gateway, "data.state") ?? "unknown"),
  );
  return states.size === 0 ? undefined : [...states].join(",");
}
