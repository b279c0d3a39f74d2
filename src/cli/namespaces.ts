import { type Command, Option } from "commander";
import { parseWhole } from "./arguments.ts";
import { createNoun, type DryRun, listingVerb, withDryRun } from "./noun.ts";
import type { Session } from "./session.ts";
import type { View } from "./table.ts";

const NAMESPACE_VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["DUAL CONTROL", "dualControl"],
    ["APPROVERS", "approvers"],
    ["ACTIVATION", "activation"],
    ["CREATED", "createTime"],
  ],
};

type CreateOptions = DryRun & {
  readonly dualControl: boolean;
  readonly approvers?: number;
  readonly activation?: string;
};

export function registerNamespaces(program: Command, session: Session): void {
  const namespaces = createNoun(program, "namespaces", "the tenants of the gateway");
  listingVerb(namespaces, "list the namespaces").action(async () => {
    const gateway = await session.gateway();
    await session.printList(await Array.fromAsync(gateway.list("/v1/namespaces")), NAMESPACE_VIEW);
  });
  withDryRun(namespaces.command("create <name>"))
    .description("create a namespace; loosening in it takes two persons unless told otherwise")
    .option("--no-dual-control", "let one person loosen alone")
    .option("--approvers <n>", "how many other persons must approve; 1 unless told", parseWhole)
    .addOption(new Option("--activation <rule>", "whether keys are born active").choices(["automatic", "manual"]))
    .action(async (name: string, { dualControl, approvers, activation, dryRun }: CreateOptions) => {
      const gateway = await session.gateway();
      const body = { name, dualControl, approvers, activation };
      await session.printList([await gateway.change("POST", "/v1/namespaces", body, { dryRun })], NAMESPACE_VIEW);
    });
}
