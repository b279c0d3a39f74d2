import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemCode } from "./errors.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What {@link createFile} needs beside the file: a name of a temporary file in the same folder that nobody else uses. */
export type NewFile = { readonly path: string; readonly temporary: string; readonly bytes: Uint8Array };

/**
 * Makes a file of mode 0600 with its whole content or not at all, crash-safe: temporary file, fsync, link, fsync of the folder.
 * `link` refuses where the name exists, so one of several writers wins. False for the others.
 */
export async function createFile({ path, temporary, bytes }: NewFile): Promise<boolean> {
  try {
    await writeSynced(temporary, bytes);
    await link(temporary, path);
    return true;
  } catch (error) {
    // ENOENT: a tidy-up took the temporary file away, which happens only where a newer file stands.
    if (isSystemCode(error, "EEXIST", "ENOENT")) return false;
    throw error;
  } finally {
    await removeFile(temporary);
    await syncFolder(dirname(path));
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "wx", FILE_MODE);
  await file.writeFile(bytes);
  await file.sync();
}

/** Removes a file, if there is one. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isSystemCode(error, "ENOENT")) throw error;
  }
}

/** The file's bytes; undefined if there is none. */
export async function findFile(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Makes a folder of mode 0700, and those above it, and makes their entries durable. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** Makes the names in a folder durable, where the system can. */
export async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!isSystemCode(error, "EISDIR", "EPERM", "EINVAL", "ENOTSUP")) throw error; // Windows and some network folders cannot
  }
}

/** The permission bits in `mask` that a path has; none where the system has no such bits. */
export async function permissionsOf(path: string, mask: number): Promise<number> {
  return process.platform === "win32" ? 0 : (await stat(path)).mode & mask;
}
