import { createSecretKey, hkdfSync, type KeyObject, scrypt } from "node:crypto";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Sources } from "#core/clock.ts";
import { type Uuid, uuidBytes } from "#core/ids.ts";
import { type Secret, unsafeRevealSecret } from "#core/secret.ts";
import { LocalHsmError } from "./errors.ts";
import { createFile, findFile, makeFolder, permissionsOf } from "./files.ts";

const CHECK_LABEL = Buffer.from("claviger/1 local-hsm master key check\0");
const KEY_BYTES = 32;
const GROUP_AND_OTHERS = 0o077;

/** What every passphrase is stretched with; 128 MiB of memory. */
export const SCRYPT = { n: 131_072, r: 8, p: 1 } as const;

/**
 * Reads the master key's file: 32 bytes, of mode 0600 or less.
 *
 * @throws {LocalHsmError} `SealRefused` if the file is missing, has another length, or may be read by others.
 */
export async function readMasterKeyFile(path: string): Promise<KeyObject> {
  const bytes = await findFile(path);
  if (bytes === undefined)
    throw new LocalHsmError("SealRefused", `the master key file ${path} is missing: put it back`);
  if ((await permissionsOf(path, GROUP_AND_OTHERS)) !== 0) {
    throw new LocalHsmError("SealRefused", `the master key file ${path} may be read by others: chmod 600 it`);
  }
  if (bytes.length !== KEY_BYTES) {
    throw new LocalHsmError(
      "SealRefused",
      `the master key file ${path} has ${bytes.length} bytes, wanted ${KEY_BYTES}`,
    );
  }
  return secretKeyOf(bytes);
}

/** Makes the master key's file where there is none; of several processes one wins. */
export async function createMasterKeyFile(path: string, { random }: Sources): Promise<void> {
  await makeFolder(dirname(path));
  const bytes = random.kernelBytes(KEY_BYTES);
  await createFile({ path, temporary: `${path}.${random.bytes(8).toString("hex")}.tmp`, bytes });
  bytes.fill(0);
}

/** Stretches a passphrase with scrypt (RFC 7914). */
export async function deriveMasterKey(passphrase: Secret<string>, salt: Uint8Array): Promise<KeyObject> {
  const cost = { N: SCRYPT.n, r: SCRYPT.r, p: SCRYPT.p, maxmem: 2 * 128 * SCRYPT.n * SCRYPT.r };
  const stretch = promisify<string, Uint8Array, number, typeof cost, Buffer>(scrypt);
  return secretKeyOf(await stretch(unsafeRevealSecret(passphrase).normalize("NFC"), salt, KEY_BYTES, cost));
}

/** 32 bytes, hex, that tell whether a master key is the token's, and nothing else of it. */
export function masterKeyCheck(masterKey: KeyObject, token: Uuid): string {
  const info = Buffer.concat([CHECK_LABEL, uuidBytes(token)]);
  return Buffer.from(hkdfSync("sha512", masterKey, Buffer.alloc(0), info, 32)).toString("hex");
}

/** Outside the JavaScript heap, and never zeroed under a writer's hands. */
function secretKeyOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
