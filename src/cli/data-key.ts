import type { Command } from "commander";
import { type Pairs, pairsObject, parseWhole } from "./arguments.ts";
import { withContext } from "./crypto-options.ts";
import { segment } from "./gateway.ts";
import { writeNew } from "./new-file.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

type DataKeyOptions = {
  readonly out?: string;
  readonly bytes?: number;
  readonly ciphertextOut?: string;
  readonly context?: Pairs;
};

/** The encrypted data key on stdout, one line. Its plaintext goes into a file that only its owner reads, or nowhere: `decrypt` gives it. */
export function registerDataKey(program: Command, session: Session): void {
  withContext(program.command("data-key <key>"))
    .description("make a data key and print it encrypted, one line; decrypt gives its bytes")
    .option("--out <file>", "also write its bytes into FILE, which must not exist (mode 0600)")
    .option("--bytes <n>", "how long it is; 32 unless told", parseWhole)
    .option("--ciphertext-out <file>", "write the encrypted data key into FILE, not to stdout")
    .action(async (key: string, { out, bytes, ciphertextOut, context }: DataKeyOptions) => {
      const path = `/v1/keys/${segment(key)}/generate-data-key`;
      const gateway = await session.gateway();
      const answer = await gateway.operate(path, {
        bytes,
        context: pairsObject(context),
        withPlaintext: out !== undefined,
      });
      const line = `${textAt(answer, "ciphertext") ?? ""}\n`;
      if (out !== undefined) await writeNew(session, out, Buffer.from(textAt(answer, "plaintext") ?? "", "base64"));
      if (ciphertextOut !== undefined) await writeNew(session, ciphertextOut, line);
      const { plaintext: _, ...told } = answer;
      await session.printData(told, ciphertextOut === undefined ? line : "");
    });
}
