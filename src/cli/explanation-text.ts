import { numberAt, type Resource, resourcesAt, textAt, valueAt } from "./resource.ts";
import { renderTable } from "./table.ts";
import { printable } from "./text.ts";

/** A plan in words: the outcome, who is asked in which order, who is not and why. */
export function explanationText(explanation: Resource): string {
  const [attempts, refused] = [resourcesAt(explanation, "attempts"), resourcesAt(explanation, "refused")];
  const parts = [`${outcomeLine(explanation)}\n`];
  if (attempts.length > 0) parts.push("\n", renderTable(numbered(attempts), ATTEMPTS, plain));
  if (refused.length > 0) parts.push("\n", renderTable(refused, REFUSED, plain));
  return parts.join("");
}

const plain = (text: string): string => text;

const ATTEMPTS = [
  ["ASKED", "place"],
  ["PROVIDER", "provider"],
  ["TIMEOUT MS", "timeoutMs"],
  ["HEDGED AFTER MS", "hedgeAfterMs"],
] as const;
const REFUSED = [
  ["NOT ASKED", "provider"],
  ["BECAUSE", "because"],
  ["DETAIL", "detail"],
] as const;

function numbered(attempts: readonly Resource[]): readonly Resource[] {
  return attempts.map((attempt, index) => ({ place: index + 1, ...attempt }));
}

function outcomeLine(explanation: Resource): string {
  const operation = textAt(explanation, "operation") ?? "the operation";
  const code = textAt(explanation, "code");
  const version = numberAt(explanation, "keyVersion");
  const notes = [
    textAt(explanation, "outcome") === "allowed"
      ? `${operation} is allowed`
      : `${operation} is refused${code === undefined ? "" : ` (${code})`}`,
    version === undefined ? undefined : `version ${version}`,
    `route ${textAt(explanation, "route") ?? "-"}`,
    `runs in the ${textAt(explanation, "runsIn") ?? "gateway"}`,
    valueAt(explanation, "cached") === true ? "its branch key is in memory" : undefined,
    valueAt(explanation, "lastResort") === true ? "the last resort, behind an open breaker" : undefined,
    `${numberAt(explanation, "deadlineMs") ?? "-"} ms in all`,
  ];
  return printable(notes.filter((note) => note !== undefined).join("; "));
}
