import { createPublicKey } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auditKeyId } from "#audit/record.ts";

/**
 * Puts the public key that signs the trail beside it, in PEM and named by its id, so that keys before it stay: what an offline check takes
 * when it is given no other.
 */
export async function publishAuditKey(folder: string, publicKey: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${auditKeyId(createPublicKey(publicKey))}.pem`);
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, publicKey, { mode: 0o600 });
  await rename(temporary, path);
}
