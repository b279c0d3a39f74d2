import type { Command } from "commander";
import { type Pairs, pairsObject } from "./arguments.ts";
import { formatOption, withContext } from "./crypto-options.ts";
import { segment } from "./gateway.ts";
import { readTextInput } from "./read-input.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

type DecryptOptions = { readonly key?: string; readonly context?: Pairs; readonly format?: string };

/** Text in, bytes out: nothing is added to them. */
export function registerDecrypt(program: Command, session: Session): void {
  withContext(program.command("decrypt [file]"))
    .description("decrypt the ciphertext in FILE (or stdin, or - for stdin) and write the plaintext as it was")
    .option("--key <key>", "the key that it must be of; the ciphertext names its own")
    .addOption(formatOption())
    .action(async (file: string | undefined, { key, context, format }: DecryptOptions) => {
      const path = key === undefined ? "/v1/decrypt" : `/v1/keys/${segment(key)}/decrypt`;
      const ciphertext = await readTextInput(session.io, file);
      const gateway = await session.gateway();
      const answer = await gateway.operate(path, { ciphertext, context: pairsObject(context), format });
      await session.printData(answer, Buffer.from(textAt(answer, "plaintext") ?? "", "base64"));
    });
}
