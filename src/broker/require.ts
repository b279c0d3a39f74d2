import { may, type Permission } from "#core/access.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";

/** @throws {KmsError} `PERMISSION_DENIED` */
export function requirePermission(caller: Caller, permission: Permission): void {
  if (may(caller.principal, permission)) return;
  const { role } = caller.principal.client;
  throw new KmsError("PERMISSION_DENIED", `the role ${role} may not do this`, { metadata: { role, permission } });
}

/** @throws {KmsError} `GENERATION_MISMATCH` */
export function requireGeneration(caller: Caller, key: KeyRecord): void {
  if (caller.ifGeneration === undefined || caller.ifGeneration === key.generation) return;
  throw new KmsError(
    "GENERATION_MISMATCH",
    `if-match: wanted generation ${key.generation}, got ${caller.ifGeneration}`,
    {
      metadata: { generation: String(key.generation), ifMatch: String(caller.ifGeneration) },
    },
  );
}
