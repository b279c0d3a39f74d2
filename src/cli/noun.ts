import type { Command } from "commander";
import { usageFailure } from "./failure.ts";

/** A noun with its verbs; alone it lists. */
export function createNoun(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}

/** The verb that a bare noun means. What follows the noun and is no verb arrives here, and is told as the unknown verb that it is. */
export function listingVerb(noun: Command, description: string): Command {
  return noun
    .command("list", { isDefault: true })
    .description(`${description} (what ${noun.name()} alone does)`)
    .allowExcessArguments()
    .hook("preAction", (_, list) => {
      const [unknown] = list.args;
      if (unknown === undefined) return;
      const verbs = noun.commands.map((verb) => verb.name()).join(", ");
      throw usageFailure(`${noun.name()} has no verb "${unknown}"`, `take one of ${verbs}`);
    });
}

/** Options of every command that changes something (api.md § 1.10). */
export function withDryRun(command: Command): Command {
  return command.option("--dry-run", "check everything and show the outcome; change nothing");
}

export type DryRun = { readonly dryRun?: true | undefined };
