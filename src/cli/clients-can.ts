import { Argument, type Command } from "commander";
import { KEY_OPERATIONS } from "#core/purposes.ts";
import { collectPairs, type Pairs, pairsObject } from "./arguments.ts";
import { EXIT } from "./failure.ts";
import { segment } from "./gateway.ts";
import { LocalExit } from "./local-exit.ts";
import { textAt, valueAt } from "./resource.ts";
import type { Session } from "./session.ts";
import { printable } from "./text.ts";

export function registerCan(clients: Command, session: Session): void {
  clients
    .command("can <client>")
    .description("tell whether a client may run an operation on a key now, and which rule decides; exit 1 for no")
    .addArgument(new Argument("<operation>", "what it would do").choices(Object.keys(KEY_OPERATIONS)))
    .argument("<key>")
    .option("--context <k=v>", "with this context; any that it is bound to unless told; repeat for more", collectPairs)
    .action(async (client: string, operation: string, key: string, { context }: { context?: Pairs }) => {
      const gateway = await session.gateway();
      const body = { client, operation, context: pairsObject(context) };
      const answer = await gateway.operate(`/v1/keys/${segment(key)}/access-explain`, body);
      const allowed = valueAt(answer, "allowed") === true;
      const rule = [textAt(answer, "decidedBy"), textAt(answer, "code")]
        .filter((part) => part !== undefined)
        .join(", ");
      await session.printData(
        answer,
        printable(`${allowed ? "yes" : "no"}: ${textAt(answer, "detail") ?? "-"} (${rule})`).concat("\n"),
      );
      if (!allowed) throw new LocalExit(EXIT.refused);
    });
}
