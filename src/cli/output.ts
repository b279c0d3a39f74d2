import { stringify } from "yaml";
import type { Paint } from "./paint.ts";
import { type Resource, valueAt } from "./resource.ts";
import { cellText, renderResource, renderTable, type View } from "./table.ts";

export const OUTPUT_FORMATS = ["table", "json", "yaml", "name"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Several resources. JSON and YAML are a list of what the gateway answered, whole. */
export function renderList(items: readonly Resource[], view: View, { format, paint }: RenderOptions): string {
  if (format === "table") return renderTable(items, view.columns, paint);
  if (format === "name") return items.map((item) => nameLine(item, view)).join("");
  return renderData(items, format);
}

/** One resource in full. */
export function renderOne(resource: Resource, view: Pick<View, "name">, { format, paint }: RenderOptions): string {
  if (format === "table") return renderResource(resource, paint);
  if (format === "name") return nameLine(resource, view);
  return renderData(resource, format);
}

export type RenderOptions = { readonly format: OutputFormat; readonly paint: Paint };

export function renderData(value: unknown, format: "json" | "yaml"): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value);
}

function nameLine(resource: Resource, view: Pick<View, "name">): string {
  return `${cellText(valueAt(resource, view.name))}\n`;
}
