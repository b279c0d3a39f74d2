import type { Command } from "commander";
import { parseWhole } from "./arguments.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

export function registerRandom(program: Command, session: Session): void {
  program
    .command("random")
    .description("write N random bytes (1 to 1024) as they are")
    .argument("<n>", "how many", parseWhole)
    .option("--provider <provider>", "whose generator; the gateway's own unless told")
    .action(async (bytes: number, { provider }: { readonly provider?: string }) => {
      const gateway = await session.gateway();
      const answer = await gateway.operate("/v1/random", { bytes, provider });
      await session.printData(answer, Buffer.from(textAt(answer, "bytes") ?? "", "base64"));
    });
}
