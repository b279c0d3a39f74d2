import CliTable from "cli-table3";
import type { Paint } from "./paint.ts";
import { isResource, type Resource, valueAt } from "./resource.ts";
import { printable } from "./text.ts";

/** One column of a table: its heading, and the path of its value or what makes it. */
export type Column = readonly [heading: string, value: string | ((item: Resource) => unknown)];

/** How resources of one sort are shown: as rows, and by name alone. */
export type View = { readonly columns: readonly Column[]; readonly name: string };

const NOTHING = "-";

/** A table without lines, its columns divided by two blanks: for eyes, grep and awk alike. Headings stand also over no rows. */
export function renderTable(items: readonly Resource[], columns: readonly Column[], paint: Paint): string {
  return renderRows([columns.map(([heading]) => heading), ...items.map((item) => rowOf(item, columns, paint))]);
}

/** As {@link renderTable}, without the headings. */
export function renderRowsOf(items: readonly Resource[], columns: readonly Column[], paint: Paint): string {
  return renderRows(items.map((item) => rowOf(item, columns, paint)));
}

function rowOf(item: Resource, columns: readonly Column[], paint: Paint): readonly string[] {
  return columns.map(([, value]) => paint(cellText(typeof value === "string" ? valueAt(item, value) : value(item))));
}

/** One resource, a member a line. Members that this version does not know are shown too. */
export function renderResource(resource: Resource, paint: Paint): string {
  return renderRows(Object.entries(resource).map(([name, value]) => [printable(name), paint(cellText(value))]));
}

/** A value in one cell: lists divided by commas, objects as `name=value`, nothing as `-`. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (Array.isArray(value)) return value.length === 0 ? NOTHING : value.map((item) => nestedText(item)).join(", ");
  if (isResource(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== null);
    if (members.length === 0) return NOTHING;
    return members.map(([name, member]) => `${printable(name)}=${nestedText(member)}`).join(" ");
  }
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}

function nestedText(value: unknown): string {
  if (isResource(value)) return `(${cellText(value)})`;
  return Array.isArray(value) ? `[${cellText(value)}]` : cellText(value);
}

const BORDERS = [
  "top",
  "top-mid",
  "top-left",
  "top-right",
  "bottom",
  "bottom-mid",
  "bottom-left",
  "bottom-right",
  "left",
  "left-mid",
  "mid",
  "mid-mid",
  "right",
  "right-mid",
] as const;

function renderRows(rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const table = new CliTable({
    chars: { ...Object.fromEntries(BORDERS.map((name) => [name, ""])), middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split("\n");
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
