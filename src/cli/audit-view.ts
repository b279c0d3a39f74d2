import { numberAt, type Resource, resourcesAt, textAt } from "./resource.ts";
import { renderTable, type View } from "./table.ts";
import { printable } from "./text.ts";

export const AUDIT_VIEW: View = {
  name: "requestId",
  columns: [
    ["TIME", "time"],
    ["CLIENT", "client"],
    ["OPERATION", "operation"],
    ["KEY", "key"],
    ["VERSION", "keyVersion"],
    ["PROVIDER", "provider"],
    ["OUTCOME", "outcome"],
    ["MS", (event) => rounded(event, "latencyMs")],
    ["REQUEST", "requestId"],
  ],
};

/** One event and each provider call that was made for it. */
export function traceText(event: Resource): string {
  const by = `${textAt(event, "client") ?? "-"} at the ${textAt(event, "door") ?? "-"} door`;
  const on = textAt(event, "key") === undefined ? "" : ` on ${textAt(event, "key")}`;
  const head = `${textAt(event, "time") ?? "-"}  ${textAt(event, "operation") ?? "-"}${on}: ${textAt(event, "outcome") ?? "-"}, ${by}`;
  const attempts = resourcesAt(event, "attempts");
  const calls = attempts.length === 0 ? "no provider was called\n" : renderTable(attempts, ATTEMPTS, (text) => text);
  return `${printable(head)}\n${calls}`;
}

const ATTEMPTS = [
  ["PROVIDER", "provider"],
  ["CALL", "operation"],
  ["OUTCOME", "outcome"],
  ["MS", (attempt: Resource) => rounded(attempt, "latencyMs")],
  ["ITS REQUEST ID", "requestId"],
] as const;

function rounded(resource: Resource, path: string): number | undefined {
  const ms = numberAt(resource, path);
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
