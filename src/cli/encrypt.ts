import type { Command } from "commander";
import { type Pairs, pairsObject } from "./arguments.ts";
import { formatOption, withContext } from "./crypto-options.ts";
import { segment } from "./gateway.ts";
import { readInput } from "./read-input.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

type EncryptOptions = { readonly context?: Pairs; readonly format?: string };

/** Bytes in, text out: one line. */
export function registerEncrypt(program: Command, session: Session): void {
  withContext(program.command("encrypt <key> [file]"))
    .description("encrypt FILE (or stdin, or - for stdin) and print the ciphertext, one line")
    .addOption(formatOption())
    .action(async (key: string, file: string | undefined, { context, format }: EncryptOptions) => {
      const path = `/v1/keys/${segment(key)}/encrypt`;
      const plaintext = (await readInput(session.io, file)).toString("base64");
      const gateway = await session.gateway();
      const answer = await gateway.operate(path, { plaintext, context: pairsObject(context), format });
      await session.printData(answer, `${textAt(answer, "ciphertext") ?? ""}\n`);
    });
}
