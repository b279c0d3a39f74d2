import type { AuditVerdict } from "./offline-commands.ts";
import { isResource, numberAt, type Resource, resourcesAt, textAt, valueAt } from "./resource.ts";
import { printable } from "./text.ts";

/** What the verifier found, in lines: each chain, what nobody signed or anchored, what is wrong. */
export function verdictText(verdict: AuditVerdict): string {
  const head = verdict.ok ? "the trail is whole" : "THE TRAIL IS NOT WHOLE";
  const lines = [
    `${head}: ${numberAt(verdict, "records") ?? 0} records in ${numberAt(verdict, "segments") ?? 0} segments`,
    ...(textAt(verdict, "keysFrom") === "folder" ? [KEYS_FROM_FOLDER] : []),
    ...resourcesAt(verdict, "chains").flatMap(chainLines),
    ...resourcesAt(verdict, "anchors").flatMap(anchorLines),
    ...resourcesAt(verdict, "findings").map(findingLine),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const KEYS_FROM_FOLDER =
  "the public key is the folder's own: who writes the folder could have put another there; give one kept apart with --public-key";

function chainLines(chain: Resource): readonly string[] {
  const process = textAt(chain, "process") ?? "-";
  const [unsigned, unanchored] = [rangeOf(chain, "unsigned"), rangeOf(chain, "unanchored")];
  return [
    `process ${process}: ${numberAt(chain, "records") ?? 0} records${valueAt(chain, "closed") === true ? ", ended in order" : ""}`,
    ...(unsigned === undefined ? [] : [`  ${unsigned} have no signed checkpoint after them yet`]),
    ...(unanchored === undefined
      ? []
      : [`  ${unanchored} are unanchored: who writes the folder could cut them off unseen`]),
  ];
}

function rangeOf(chain: Resource, name: string): string | undefined {
  const range = valueAt(chain, name);
  return isResource(range) ? `records ${numberAt(range, "from") ?? 0} to ${numberAt(range, "to") ?? 0}` : undefined;
}

function anchorLines(anchor: Resource): readonly string[] {
  const file = textAt(anchor, "file") ?? "-";
  return [
    valueAt(anchor, "found") === true
      ? `anchor ${file}: ${numberAt(anchor, "checkpoints") ?? 0} checkpoints`
      : `anchor ${file}: not found`,
  ];
}

function findingLine(finding: Resource): string {
  const line = numberAt(finding, "line");
  const place = `${textAt(finding, "file") ?? "-"}${line === undefined ? "" : `:${line}`}`;
  return `${place}: ${textAt(finding, "kind") ?? "wrong"}: ${textAt(finding, "detail") ?? ""}`;
}
