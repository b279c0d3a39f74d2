import { type Command, Option } from "commander";
import { STATE_REASONS } from "#core/states.ts";
import { parseTime, parseWhole } from "../arguments.ts";
import { segment } from "../gateway.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import { textsAt } from "../resource.ts";
import type { Session } from "../session.ts";
import { KEY_VIEW } from "./view.ts";

/** The verbs of api.md § 8: what is asked for besides `detail` and `ticket`, which all take. */
export function registerLifecycle(keys: Command, session: Session): void {
  const verb = (name: string, description: string): Command => createVerb(keys, session, { name, description });
  verb("activate", "make a generated key usable");
  verb("suspend", "stop a key until it is resumed")
    .addOption(new Option("--reason <reason>", "why").choices(STATE_REASONS.suspended).makeOptionMandatory())
    .addOption(
      new Option("--processing <rule>", "whether it still opens what it protected").choices(["allow", "deny"]),
    );
  verb("resume", "make a suspended key usable again").requiredOption("--reason <text>", "why");
  verb("deactivate", "end a key's protecting for good; it still opens what it protected").addOption(
    new Option("--reason <reason>", "why").choices(["revoked", "superseded"]).makeOptionMandatory(),
  );
  verb("compromise", "mark a key as compromised, for good: it stops at once")
    .requiredOption("--reason <text>", "what happened")
    .option("--occurrence-time <time>", "when it happened", parseTime);
  verb("archive", "keep a key that is used no more: it opens nothing");
  verb("destroy", "begin the destruction of a deactivated key; cancel-destroy ends it within its window")
    .requiredOption("--confirm-name <name>", "the name of the key, typed again")
    .option("--window-days <n>", "for how long it can be cancelled, 7 to 90; 30 unless told", parseWhole);
  verb("cancel-destroy", "end a destruction within its window");
  verb("rotate", "give a key a new version")
    .option("--reason <text>", "why")
    .option("--prepublish-seconds <n>", "publish the version so long before it becomes primary", parseWhole);
}

type VerbOptions = DryRun & Readonly<Record<string, unknown>>;

function createVerb(
  keys: Command,
  session: Session,
  { name, description }: { name: string; description: string },
): Command {
  const verb = keys
    .command(`${name} <key>`)
    .description(description)
    .option("--detail <text>", "more about it, for the history")
    .option("--ticket <text>", "the ticket that asks for it");
  // The options are named like the members of the request.
  return withDryRun(verb).action(async (key: string, { dryRun, ...body }: VerbOptions) => {
    const path = `${placeOf(key)}/${name}`;
    const gateway = await session.gateway();
    const changed = await gateway.change("POST", path, body, { dryRun });
    await session.printList([changed], KEY_VIEW);
    const unconfirmed = textsAt(changed, "unconfirmed");
    if (unconfirmed.length > 0) await session.tell(`not yet confirmed by: ${unconfirmed.join(", ")}`);
  });
}

/** A key, or with `KEY@N` one version of it. */
function placeOf(text: string): string {
  const { key, version } = /^(?<key>.+)@(?<version>[1-9]\d*)$/u.exec(text)?.groups ?? {};
  if (key === undefined || version === undefined) return `/v1/keys/${segment(text)}`;
  return `/v1/keys/${segment(key)}/versions/${version}`;
}
