import type { Command } from "commander";
import { segment } from "./gateway.ts";
import { createNoun, listingVerb } from "./noun.ts";
import type { Session } from "./session.ts";
import type { View } from "./table.ts";

const INVENTORY_VIEW: View = {
  name: "id",
  columns: [
    ["PROVIDER", "provider"],
    ["KEY OVER THERE", "nativeRef"],
    ["ALGORITHM", "algorithm"],
    ["STATE", "state"],
    ["OURS", "ours"],
    ["USE", "use"],
    ["KEY", "keyName"],
    ["LAST SEEN", "lastSeenTime"],
  ],
};

type Options = { readonly provider?: string; readonly ours?: boolean };

/** What the providers hold, whoever made it. */
export function registerInventory(program: Command, session: Session): void {
  const inventory = createNoun(program, "inventory", "the keys that the providers hold, ours and others'");
  listingVerb(inventory, "list the keys that the providers hold, as they were last seen")
    .option("--provider <provider>", "only those of a provider")
    .option("--ours", "only those that a gateway made")
    .option("--no-ours", "only those of others")
    .action(async ({ provider, ours }: Options) => {
      const gateway = await session.gateway();
      const filters = {
        ...(provider === undefined ? {} : { provider }),
        ...(ours === undefined ? {} : { ours: String(ours) }),
      };
      await session.printList(await Array.fromAsync(gateway.list("/v1/inventory", filters)), INVENTORY_VIEW);
    });
  inventory
    .command("show <id>")
    .description("show one key of a provider")
    .action(async (id: string) => {
      const gateway = await session.gateway();
      await session.printOne(await gateway.get(`/v1/inventory/${segment(id)}`), INVENTORY_VIEW);
    });
}
