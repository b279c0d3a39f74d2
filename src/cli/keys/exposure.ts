import type { Command } from "commander";
import { segment } from "../gateway.ts";
import { type Resource, resourcesAt, textAt, textsAt, valueAt } from "../resource.ts";
import type { Session } from "../session.ts";
import { renderTable } from "../table.ts";
import { printable } from "../text.ts";

export function registerExposure(keys: Command, session: Session): void {
  keys
    .command("exposure <key>")
    .description("tell who can do what with a key, and what may and may not be said of it")
    .action(async (key: string) => {
      const gateway = await session.gateway();
      const exposure = await gateway.get(`/v1/keys/${segment(key)}/exposure`);
      await session.printData(exposure, exposureText(exposure, session));
    });
}

const COLUMNS = [
  ["WHO", "entity"],
  ["CAN", "relation"],
  ["HOW", "standing"],
  ["BECAUSE", "because"],
  ["UNTIL", "until"],
] as const;

/** An exposure for people: a table, who can decrypt, and the two lists. */
export function exposureText(exposure: Resource, { paint }: Pick<Session, "paint">): string {
  const sets = listsAt(exposure, "minimalSets").map((set) => `  ${set.map((id) => printable(id)).join(" with ")}\n`);
  const laws = resourcesAt(exposure, "jurisdictions").map((row) => {
    const verdict =
      valueAt(row, "canDecrypt") === true ? "can have it decrypted, through" : "reaches, and cannot have it decrypted:";
    return `  ${printable(textAt(row, "jurisdiction") ?? "-")} ${verdict} ${textsAt(row, "through")
      .map((id) => printable(id))
      .join(", ")}\n`;
  });
  return [
    renderTable(resourcesAt(exposure, "relations"), COLUMNS, paint),
    section("ABLE TO DECRYPT", sets),
    section("BY LAW", laws),
    section("MAY BE SAID", linesAt(exposure, "mayBeSaid")),
    section("MAY NOT BE SAID", linesAt(exposure, "mayNotBeSaid")),
  ].join("\n");
}

function section(heading: string, lines: readonly string[]): string {
  return `${heading}\n${lines.length === 0 ? "  nobody and nothing\n" : lines.join("")}`;
}

function linesAt(exposure: Resource, name: string): readonly string[] {
  return textsAt(exposure, name).map((text) => `  ${printable(text)}\n`);
}

function listsAt(exposure: Resource, name: string): readonly (readonly string[])[] {
  const value = valueAt(exposure, name);
  return Array.isArray(value) ? value.map((set) => (Array.isArray(set) ? set.map(String) : [])) : [];
}
