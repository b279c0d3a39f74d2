import type { Router } from "express";
import { type Kit, mountRoutes } from "#http/mount.ts";
import type { Route } from "#http/route.ts";
import type { RestParts } from "./rest-parts.ts";
import { auditRoutes } from "./routes/audit.ts";
import { clientRoutes } from "./routes/clients.ts";
import { cryptoRoutes } from "./routes/crypto-operations.ts";
import { docsRoutes } from "./routes/docs.ts";
import { exportRoutes } from "./routes/export.ts";
import { exportWrapsRoutes } from "./routes/export-wraps.ts";
import { exposureRoutes } from "./routes/exposure.ts";
import { healthRoutes } from "./routes/health.ts";
import { importRoutes } from "./routes/import.ts";
import { inventoryRoutes } from "./routes/inventory.ts";
import { keyStatusRoutes } from "./routes/key-status.ts";
import { keyRoutes } from "./routes/keys.ts";
import { operationRoutes } from "./routes/operations.ts";
import { policyRoutes } from "./routes/policy.ts";
import { publicKeyRoutes } from "./routes/public-keys.ts";
import { capabilityRoutes } from "./routes/provider-capabilities.ts";
import { providerRoutes } from "./routes/providers.ts";
import { recipientRoutes } from "./routes/recipients.ts";
import { runningOperationRoutes } from "./routes/running-operations.ts";
import { versionRoutes } from "./routes/versions.ts";

/** Every route of the native REST door, the busiest first, and last those that describe it. */
export function restRoutes(parts: RestParts): readonly Route[] {
  const routes = [
    ...operationRoutes(parts),
    ...cryptoRoutes(parts),
    ...publicKeyRoutes(parts),
    ...keyRoutes(parts),
    ...versionRoutes(parts),
    ...exportRoutes(parts),
    ...exportWrapsRoutes(parts),
    ...recipientRoutes(parts),
    ...importRoutes(parts),
    ...keyStatusRoutes(parts),
    ...exposureRoutes(parts),
    ...runningOperationRoutes(parts),
    ...providerRoutes(parts),
    ...capabilityRoutes(parts),
    ...inventoryRoutes(parts),
    ...policyRoutes(parts),
    ...clientRoutes(parts),
    ...auditRoutes(parts),
    ...healthRoutes(parts),
  ];
  return [...routes, ...docsRoutes(routes, parts.version)];
}

export function restDoor(kit: Kit, parts: RestParts): Router {
  return mountRoutes(restRoutes(parts), kit);
}
