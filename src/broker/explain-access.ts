import type { Context } from "#core/context.ts";
import { type AccessAnswer, explainAccess } from "#core/explain-access.ts";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import type { ClientRecord, KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import { resolveClient } from "./clients.ts";
import { isInForce } from "./credentials.ts";
import { resolveKey } from "./key-reference.ts";
import { primaryVersion } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

export type AccessExplanation = AccessAnswer & { readonly client: ClientRecord; readonly key: KeyRecord };

/** Whether a client may run an operation on a key now, and which rule decides. Nothing is called, nothing is changed. */
export async function explainClientAccess(
  parts: BrokerParts,
  caller: Caller,
  request: {
    readonly key: string;
    readonly client: string;
    readonly operation: KeyOperation;
    readonly context: Context | undefined;
  },
): Promise<AccessExplanation> {
  requirePermission(caller, "clients.read");
  const { key, version: named } = await resolveKey(parts, caller, request.key);
  const client = await resolveClient(parts, caller, request.client);
  const { operation, context } = request;
  const now = parts.sources.clock.now();
  const isProtecting = KEY_OPERATIONS[operation].kind === "protect";
  const number = named ?? (isProtecting ? primaryVersion(parts, key) : undefined);
  const version = number === undefined || number === null ? undefined : parts.catalog.version(key.id, number);
  const hasCredential = parts.catalog.credentials(client.id).some((credential) => isInForce(credential, now));
  return { client, key, ...explainAccess({ client, hasCredential, key, version, operation, context, now }) };
}
