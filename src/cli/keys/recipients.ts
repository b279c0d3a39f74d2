import type { Command } from "commander";
import { collectList, parseWhole } from "../arguments.ts";
import { segment } from "../gateway.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import { type Resource, textsAt } from "../resource.ts";
import type { Session } from "../session.ts";
import type { View } from "../table.ts";

const RECIPIENT_VIEW: View = {
  name: "provider",
  columns: [
    ["PROVIDER", "provider"],
    ["WRAP", "wrap"],
  ],
};

type Options = DryRun & {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
  readonly minimum?: number;
};

export function registerRecipients(keys: Command, session: Session): void {
  withDryRun(keys.command("recipients <key>"))
    .description("list who holds a portable key's wraps; with --add and --drop, change them")
    .option("--add <provider>", "a provider that shall hold a wrap too; repeat for more", collectList)
    .option("--drop <provider>", "a provider that shall hold none any more; repeat for more", collectList)
    .option("--minimum <n>", "how many failure domains must hold it", parseWhole)
    .action(async (key: string, { add, drop, minimum, dryRun }: Options) => {
      const gateway = await session.gateway();
      const path = `/v1/keys/${segment(key)}`;
      const changes = add !== undefined || drop !== undefined || minimum !== undefined;
      const shown = changes
        ? await gateway.change("POST", `${path}/recipients`, { add, drop, minimum }, { dryRun })
        : await gateway.get(path);
      await session.printList(recipientsOf(shown), RECIPIENT_VIEW);
      if (drop !== undefined) {
        const who = drop.join(", ");
        await session.tell(
          `${who} can still open what was wrapped before: rotate the key and re-encrypt, to leave nothing for ${who}`,
        );
      }
    });
}

function recipientsOf(key: Resource): readonly Resource[] {
  const missing = new Set(textsAt(key, "replication.missing"));
  return textsAt(key, "custody.holders").map((provider) => ({
    provider,
    wrap: missing.has(provider) ? "missing" : "there",
  }));
}
