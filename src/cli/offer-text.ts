import { numberAt, type Resource, resourcesAt, textAt } from "./resource.ts";

/** What a provider offers, in one line: purposes with how many algorithms, limits, quotas. */
export function offerText(offered: Resource): string {
  const rows = resourcesAt(offered, "operations");
  const purposes = Map.groupBy(rows, (row) => textAt(row, "purpose") ?? "other");
  const offers = [...purposes].map(([purpose, of]) => `${purpose} (${countOf(of)})`).join(", ");
  const sizes = rows
    .filter((row) => textAt(row, "operation") === "encrypt")
    .map((row) => numberAt(row, "maxInputBytes") ?? 0);
  const limit = sizes.length === 0 ? [] : [`encrypts up to ${Math.max(...sizes)} bytes`];
  const quotas = resourcesAt(offered, "quotas").map(
    (quota) => `${numberAt(quota, "perSecond")}/s ${textAt(quota, "name")}`,
  );
  const name = textAt(offered, "provider") ?? "PROVIDER";
  return [
    offers,
    ...limit,
    ...(quotas.length === 0 ? [] : [`quota ${quotas.join(", ")}`]),
    `all of it: npx claviger providers capabilities ${name}`,
  ].join("; ");
}

function countOf(rows: readonly Resource[]): string {
  const count = new Set(rows.map((row) => textAt(row, "algorithm"))).size;
  return count === 1 ? (textAt(rows[0] ?? {}, "algorithm") ?? "1") : `${count} algorithms`;
}
