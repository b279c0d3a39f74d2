/** The small files of a gateway's own folder, outside the database: what the database's owner cannot change. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { KmsError } from "#core/errors.ts";
import { syncFolder } from "./sync-folder.ts";

/** The root key that this gateway accepts in one version: its commitment, 32 bytes in base64. */
export type RootPin = { readonly rootVersion: number; readonly commitment: string };

const PIN = "root.json";
const REVISION = "revision";
const COMMITMENT = /^[A-Za-z0-9+/]{43}=$/u;

/** The pinned commitments; undefined if there is no pin yet. @throws {KmsError} `SEALED` for a file that is not one of ours. */
export async function readPin(stateFolder: string): Promise<readonly RootPin[] | undefined> {
  const text = await readIfThere(join(stateFolder, PIN));
  if (text === undefined) return undefined;
  const pins = parseJson(text);
  if (!Array.isArray(pins) || pins.length === 0 || !pins.every(isPin)) {
    throw new KmsError("SEALED", `${PIN} in the state folder is not a list of root versions and commitments`);
  }
  return pins.map(({ rootVersion, commitment }) => ({ rootVersion, commitment }));
}

/** Replaces the pin; it is on disk when the promise resolves. */
export async function writePin(stateFolder: string, pins: readonly RootPin[]): Promise<void> {
  const text = `${JSON.stringify(pins.map(({ rootVersion, commitment }) => ({ rootVersion, commitment })))}\n`;
  await replaceFile(stateFolder, PIN, { text, sync: true });
}

/** The highest revision that this gateway saw; undefined if it never saw a store. @throws {KmsError} `SEALED` if the file is damaged. */
export async function readRevision(stateFolder: string): Promise<number | undefined> {
  const text = await readIfThere(join(stateFolder, REVISION));
  if (text === undefined) return undefined;
  if (!/^\d{1,15}\n$/u.test(text)) throw new KmsError("SEALED", `${REVISION} in the state folder is not a number`);
  return Number(text);
}

/** Writes the revision; `sync` waits for the disk. Only `restore` writes one that is lower. */
export async function writeRevision(stateFolder: string, revision: number, sync: boolean): Promise<void> {
  await replaceFile(stateFolder, REVISION, { text: `${String(revision)}\n`, sync });
}

/** A reader sees the old file or the new one, never a part: temporary file, rename. Several processes may do so at once. */
async function replaceFile(
  folder: string,
  name: string,
  { text, sync }: { text: string; sync: boolean },
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${name}.${randomUUID()}`);
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  if (sync) await syncFolder(folder);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPin(value: unknown): value is RootPin {
  if (typeof value !== "object" || value === null || !("rootVersion" in value) || !("commitment" in value))
    return false;
  const { rootVersion, commitment } = value;
  if (typeof commitment !== "string" || !COMMITMENT.test(commitment)) return false;
  return typeof rootVersion === "number" && Number.isSafeInteger(rootVersion) && rootVersion > 0;
}
