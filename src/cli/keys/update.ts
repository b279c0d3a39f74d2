import { type Command, InvalidArgumentError } from "commander";
import { collect, parseTime, parseWhole } from "../arguments.ts";
import { usageFailure } from "../failure.ts";
import { segment } from "../gateway.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import type { Session } from "../session.ts";
import { KEY_VIEW } from "./view.ts";

/** Labels to set, and with `null` to remove. */
type LabelChanges = readonly (readonly [name: string, value: string | null])[];

type Cleared<T> = T | "none";

type UpdateOptions = DryRun & {
  readonly label?: LabelChanges;
  readonly description?: string;
  readonly owner?: string;
  readonly contact?: readonly string[];
  readonly dataClass?: string;
  readonly rotateDays?: Cleared<number>;
  readonly activateAt?: Cleared<string>;
  readonly protectStopAt?: Cleared<string>;
  readonly deactivateAt?: Cleared<string>;
};

export function registerUpdate(keys: Command, session: Session): void {
  const update = keys
    .command("update <key>")
    .description("change what may change of a key; what is not told stays")
    .option("--label <k=v>", "set a label, or remove it with k-; repeat for more", collectLabelChanges)
    .option("--description <text>", "what it is, in words")
    .option("--owner <text>", "whose it is")
    .option("--contact <text>", "whom to ask about it, replacing those before; repeat for more", collect)
    .option("--data-class <text>", "the class of the data that it protects")
    .option("--rotate-days <n>", "give it a new version every N days, or none", orNone(parseWhole))
    .option("--activate-at <time>", "when it becomes active, or none", orNone(parseTime))
    .option("--protect-stop-at <time>", "when it stops to protect, or none", orNone(parseTime))
    .option("--deactivate-at <time>", "when it is deactivated, or none", orNone(parseTime));
  withDryRun(update).action(async (key: string, { dryRun, ...options }: UpdateOptions) => {
    const path = `/v1/keys/${segment(key)}`;
    const patch = patchBody(options);
    if (Object.values(patch).every((value) => value === undefined)) {
      throw usageFailure("nothing to change", "npx claviger keys update --help tells what may change");
    }
    const gateway = await session.gateway();
    await session.printList([await gateway.change("PATCH", path, patch, { dryRun })], KEY_VIEW);
  });
}

function patchBody(options: UpdateOptions): Readonly<Record<string, unknown>> {
  const { label, description, owner, contact, dataClass, rotateDays, activateAt, protectStopAt, deactivateAt } =
    options;
  return {
    labels: label === undefined ? undefined : Object.fromEntries(label),
    description,
    owner,
    contacts: contact,
    dataClass,
    rotation: rotateDays === undefined ? undefined : { everyDays: cleared(rotateDays) },
    activateTime: cleared(activateAt),
    protectStopTime: cleared(protectStopAt),
    deactivateTime: cleared(deactivateAt),
  };
}

function collectLabelChanges(text: string, before: LabelChanges = []): LabelChanges {
  const divider = text.indexOf("=");
  const removes = divider === -1 && text.endsWith("-") && text.length > 1;
  if (divider < 1 && !removes) throw new InvalidArgumentError("wanted name=value, or name- to remove it");
  const change = removes
    ? ([text.slice(0, -1), null] as const)
    : ([text.slice(0, divider), text.slice(divider + 1)] as const);
  if (before.some(([name]) => name === change[0])) throw new InvalidArgumentError(`"${change[0]}" is given twice`);
  return [...before, change];
}

/** A parser that also takes `none`, which takes it away. (Commander makes an empty text of an option's `null`.) */
function orNone<T>(parse: (text: string) => T): (text: string) => Cleared<T> {
  return (text) => (text === "none" ? text : parse(text));
}

function cleared<T>(value: Cleared<T> | undefined): T | null | undefined {
  return value === "none" ? null : value;
}
