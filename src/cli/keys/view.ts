import { numberAt, type Resource } from "../resource.ts";
import type { View } from "../table.ts";

export const KEY_VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["STATE", "state"],
    ["PURPOSE", "purpose"],
    ["ALGORITHM", "algorithm"],
    ["CUSTODY", "custody.kind"],
    ["VERSION", "primaryVersion"],
    ["COPIES", copies],
    ["CREATED", "createTime"],
  ],
};

export const VERSION_VIEW: View = {
  name: "version",
  columns: [
    ["VERSION", "version"],
    ["STATE", "state"],
    ["REASON", "stateReason"],
    ["ROLE", "role"],
    ["CREATED", "createTime"],
    ["ACTIVATED", "activateTime"],
    ["DEACTIVATED", "deactivateTime"],
  ],
};

export const HISTORY_VIEW: View = {
  name: "requestId",
  columns: [
    ["TIME", "time"],
    ["ACTION", "action"],
    ["FROM", "from"],
    ["TO", "to"],
    ["BY", "actor"],
    ["REASON", "reason"],
    ["DETAIL", "detail"],
    ["TICKET", "ticket"],
  ],
};

/** How many providers hold it, of how many that should. */
function copies(key: Resource): string | undefined {
  const [ready, wanted] = [numberAt(key, "replication.ready"), numberAt(key, "replication.wanted")];
  return ready === undefined || wanted === undefined ? undefined : `${ready}/${wanted}`;
}
