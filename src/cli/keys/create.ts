import { type Command, Option } from "commander";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { PURPOSES } from "#core/purposes.ts";
import { collect, collectList, collectPairs, type Pairs, pairsObject, parseWhole } from "../arguments.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import { isResource, valueAt } from "../resource.ts";
import type { Session } from "../session.ts";
import { exposureText } from "./exposure.ts";
import { KEY_VIEW } from "./view.ts";

type CreateOptions = DryRun & {
  readonly purpose?: string;
  readonly algorithm?: string;
  readonly label?: Pairs;
  readonly alias?: readonly string[];
  readonly custody?: string;
  readonly provider?: string;
  readonly holders?: readonly string[];
  readonly minimum?: number;
  readonly dedicated?: true;
  readonly description?: string;
  readonly owner?: string;
  readonly activate: boolean;
  readonly import?: true;
  readonly extractable?: true;
  readonly reuseName?: true;
  readonly rotateDays?: number;
  readonly rotateMessages?: number;
};

export function registerCreate(keys: Command, session: Session): void {
  const create = keys
    .command("create <name>")
    .description("create a key; what is not told follows the route that it matches")
    .addOption(new Option("--purpose <purpose>", "what it is for; encrypt unless told").choices(PURPOSES))
    .addOption(
      new Option("--algorithm <name>", "its algorithm; the purpose's own unless told").choices(ALGORITHM_NAMES),
    )
    .option("--label <k=v>", "give it a label; repeat for more", collectPairs)
    .option("--alias <alias>", "give it an alias; repeat for more", collect)
    .addOption(new Option("--custody <kind>", "where its material lives").choices(["portable", "native"]))
    .option("--provider <name>", "native custody: the provider that holds it")
    .option("--holders <a,b>", "the providers that hold it, in order", collectList)
    .option("--minimum <n>", "in how many failure domains it must be held before use", parseWhole)
    .option("--dedicated", "give it a branch key and recipients of its own")
    .option("--description <text>", "what it is, in words")
    .option("--owner <text>", "whose it is")
    .option("--no-activate", "leave it generated; keys activate makes it usable")
    .option("--reuse-name", "take the name of a destroyed key, which goes by its id from then on")
    .option("--import", "make it without material, for keys import to bring; a provider then holds it")
    .option("--extractable", "let its provider give it away, wrapped (keys export); it can never become so later")
    .option("--rotate-days <n>", "give it a new version every N days", parseWhole)
    .option("--rotate-messages <n>", "raw AES-GCM: give it a new version after N messages", parseWhole);
  withDryRun(create).action(async (name: string, options: CreateOptions) => {
    const gateway = await session.gateway();
    const key = await gateway.change("POST", "/v1/keys", createBody(name, options), { dryRun: options.dryRun });
    await session.printList([key], KEY_VIEW);
    const exposure = valueAt(key, "exposure");
    if (session.format === "table" && isResource(exposure)) await session.print(`\n${exposureText(exposure, session)}`);
  });
}

function createBody(name: string, options: CreateOptions): unknown {
  const { purpose, algorithm, label, alias, description, owner, activate, rotateDays, rotateMessages } = options;
  return {
    name,
    purpose,
    algorithm,
    labels: pairsObject(label),
    aliases: alias,
    custody: custodyOf(options),
    description,
    owner,
    activate: activate ? undefined : false,
    material: options.import === true ? "import" : undefined,
    exportability: options.extractable === true ? { extractable: true } : undefined,
    reuseName: options.reuseName === true ? true : undefined,
    rotation:
      rotateDays === undefined && rotateMessages === undefined
        ? undefined
        : { everyDays: rotateDays, maxMessages: rotateMessages },
  };
}

/** Custody only where something was said about it; its kind is then portable unless told, or native where one provider is named. */
function custodyOf({ custody, provider, holders, minimum, dedicated }: CreateOptions): unknown {
  if (provider !== undefined) return { kind: custody ?? "native", provider, holders, minimum, dedicated };
  if (custody === undefined && holders === undefined && minimum === undefined && dedicated === undefined)
    return undefined;
  return { kind: custody ?? "portable", holders, minimum, dedicated };
}
