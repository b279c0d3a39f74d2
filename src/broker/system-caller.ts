import type { Principal } from "#core/access.ts";
import { createId } from "#core/ids.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";

const TURN_MS = 30_000;

/** The clock and policy engine: who does what no person asked for (SYS of lifecycle.md § 3). */
const SYSTEM: Principal = {
  client: {
    id: "cli_system",
    name: "system",
    namespace: "system",
    person: "system",
    role: "admin",
    keys: [],
    allow: [],
    contextEquals: {},
    expireTime: null,
    createTime: 0,
  },
  credentialId: "crd_system",
};

/** The caller of what the gateway does by itself, for one step of it. */
export function systemCaller(parts: BrokerParts, namespace: string): Caller {
  return {
    principal: SYSTEM,
    namespace,
    requestId: createId("req", parts.sources),
    door: "background",
    deadline: new Deadline(TURN_MS, parts.sources),
    dryRun: false,
  };
}
