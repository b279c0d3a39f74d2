import { type Command, Option } from "commander";
import { PURPOSES } from "#core/purposes.ts";
import { STATES } from "#core/states.ts";
import { collectPairs, type Pairs } from "../arguments.ts";
import { custodySentence } from "../custody-sentence.ts";
import { segment } from "../gateway.ts";
import { listingVerb } from "../noun.ts";
import { textAt } from "../resource.ts";
import type { Session } from "../session.ts";
import { HISTORY_VIEW, KEY_VIEW, VERSION_VIEW } from "./view.ts";

type ListOptions = {
  readonly state?: string;
  readonly purpose?: string;
  readonly custody?: string;
  readonly provider?: string;
  readonly servedOnlyBy?: string;
  readonly label?: Pairs;
};

/** list · show · history · versions */
export function registerRead(keys: Command, session: Session): void {
  listingVerb(keys, "list the keys of the namespace that you may see")
    .addOption(new Option("--state <state>", "only keys in this state").choices(STATES))
    .addOption(new Option("--purpose <purpose>", "only keys for this purpose").choices(PURPOSES))
    .option("--custody <kind>", "only keys in this custody")
    .option("--provider <provider>", "only keys that this provider should hold")
    .option("--served-only-by <provider>", "only keys that this provider alone could open now")
    .option("--label <k=v>", "only keys with this label; repeat for more", collectPairs)
    .action(async ({ label = [], ...filters }: ListOptions) => {
      const labels = Object.fromEntries(label.map(([name, value]) => [`label.${name}`, value]));
      const gateway = await session.gateway();
      const found = await Array.fromAsync(gateway.list("/v1/keys", { limit: "1000", ...filters, ...labels }));
      await session.printList(found, KEY_VIEW);
    });
  keys
    .command("show <key>")
    .description("show one key, by name, alias or id, and say in a sentence who holds it")
    .action(async (key: string) => {
      const gateway = await session.gateway();
      const found = await gateway.get(`/v1/keys/${segment(key)}`);
      await session.printOne(found, KEY_VIEW);
      if (session.format === "table") await session.print(`\n${custodySentence(found)}\n`);
    });
  keys
    .command("history <key>")
    .description("show what became of a key, and who did it")
    .action(async (key: string) => {
      const gateway = await session.gateway();
      await session.printList(await Array.fromAsync(gateway.list(`/v1/keys/${segment(key)}/history`)), HISTORY_VIEW);
    });
  keys
    .command("status <key>")
    .description("print a signed statement of a key's state, for others to rely on; -o json for all of it")
    .action(async (key: string) => {
      const gateway = await session.gateway();
      const status = await gateway.get(`/v1/keys/${segment(key)}/status`);
      await session.printData(status, `${textAt(status, "jws") ?? ""}\n`);
    });
  keys
    .command("versions <key>")
    .description("show the versions of a key")
    .action(async (key: string) => {
      const gateway = await session.gateway();
      await session.printList(await Array.fromAsync(gateway.list(`/v1/keys/${segment(key)}/versions`)), VERSION_VIEW);
    });
}
