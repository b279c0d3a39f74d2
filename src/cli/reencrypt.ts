import type { Command } from "commander";
import { type Pairs, pairsObject } from "./arguments.ts";
import { withContext } from "./crypto-options.ts";
import { segment } from "./gateway.ts";
import { openInput, readChunks, readTextInput } from "./read-input.ts";
import { reencryptLines } from "./reencrypt-lines.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

type ReencryptOptions = {
  readonly to: string;
  readonly key?: string;
  readonly lines?: true;
  readonly field?: string;
  readonly context?: Pairs;
};

/** Ciphertexts in, ciphertexts out: the plaintext never leaves the gateway. */
export function registerReencrypt(program: Command, session: Session): void {
  withContext(program.command("reencrypt [file]"))
    .description(
      "re-encrypt the ciphertext in FILE (or stdin) under another key. With --lines each line is one; a line that fails " +
        "stays as it was and is told on stderr, and the exit code is 4",
    )
    .requiredOption("--to <key>", "the key to encrypt under")
    .option("--key <key>", "the key that it must be of; the ciphertext names its own")
    .option("--lines", "one ciphertext per line")
    .option(
      "--field <name>",
      "each line is a JSON object whose member NAME is the ciphertext; {member} in a --context value is filled in",
    )
    .action(async (file: string | undefined, { to, key, lines, field, context = [] }: ReencryptOptions) => {
      const path = `/v1/keys/${segment(to)}/reencrypt`;
      if (lines !== undefined || field !== undefined) {
        const input = readChunks(openInput(session.io, file), file);
        await reencryptLines(session, input, { path, sourceKey: key, rules: { field, context } });
        return;
      }
      const ciphertext = await readTextInput(session.io, file);
      const gateway = await session.gateway();
      const answer = await gateway.operate(path, { ciphertext, sourceKey: key, context: pairsObject(context) });
      await session.printData(answer, `${textAt(answer, "ciphertext") ?? ""}\n`);
    });
}
