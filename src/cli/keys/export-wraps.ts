import type { Command } from "commander";
import { segment } from "../gateway.ts";
import { writeNew } from "../new-file.ts";
import { textsAt } from "../resource.ts";
import type { Session } from "../session.ts";

export function registerExportWraps(keys: Command, session: Session): void {
  keys
    .command("export-wraps <key>")
    .description(
      "print the journal lines with which `claviger open` opens a portable key's ciphertexts without a gateway",
    )
    .option("--out <file>", "write them into FILE, which must not exist (mode 0600)")
    .action(async (key: string, { out }: { readonly out?: string }) => {
      const gateway = await session.gateway();
      const exported = await gateway.operate(`/v1/keys/${segment(key)}/export-wraps`, {});
      const lines = textsAt(exported, "lines");
      const text = lines.map((line) => `${line}\n`).join("");
      if (out !== undefined) await writeNew(session, out, text);
      await session.printData(exported, out === undefined ? text : "");
    });
}
