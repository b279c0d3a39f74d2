import { type Command, Option } from "commander";
import { collectPairs } from "./arguments.ts";

export const CIPHERTEXT_FORMATS = ["claviger", "native"] as const;

/** `--context k=v`, any number of times. */
export function withContext(command: Command): Command {
  return command.option("--context <k=v>", "bind the ciphertext to a name and value; repeat for more", collectPairs);
}

export function formatOption(): Option {
  return new Option("--format <format>", "claviger text, or the provider's own bytes in base64").choices(
    CIPHERTEXT_FORMATS,
  );
}
