import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createFile, findFile, removeFile, syncFolder } from "./files.ts";
import { isSystemCode } from "./errors.ts";

/**
 * One object's folder: `1.json`, then `2.json`, …; the highest generation is the object, and lower ones go when it stands. A change links
 * the next number, which refuses where another process was first: compare-and-swap without locks, so that no crash leaves one behind.
 */
const NAME = /^([1-9]\d{0,14})\.json$/u;

/** The newest generation in an object's folder; undefined if there is none. */
export async function newestGeneration(folder: string): Promise<number | undefined> {
  return (await generationsIn(folder)).at(-1);
}

/**
 * Whether a generation that was the newest still is, by two looks at names: generations go up one by one, and a lower one goes before the
 * higher. On the event loop, since another thread costs more than both looks.
 */
export function isNewest(folder: string, generation: number): boolean {
  return existsSync(pathOf(folder, generation)) && !existsSync(pathOf(folder, generation + 1));
}

/** The bytes of a generation; undefined if a newer one has replaced it meanwhile. */
export async function readGeneration(folder: string, generation: number): Promise<Buffer | undefined> {
  return await findFile(pathOf(folder, generation));
}

export type NewGeneration = { readonly generation: number; readonly bytes: Uint8Array; readonly nonce: string };

/**
 * Makes `generation`, which must be the one after the newest, and removes the older ones. False if another writer was first:
 * read again. (False too if others have gone on from ours already; a change is idempotent, so its writer repeats it.)
 */
export async function commitGeneration(folder: string, { generation, bytes, nonce }: NewGeneration): Promise<boolean> {
  const path = pathOf(folder, generation);
  if (!(await createFile({ path, temporary: join(folder, `${nonce}.tmp`), bytes }))) return false;
  // The number may have been free only because newer generations had it removed.
  if ((await newestGeneration(folder)) !== generation) {
    await removeOlder(folder);
    return false;
  }
  await removeOlder(folder);
  return true;
}

/** Removes all but the newest generation, remains of writers that crashed included, and makes that durable. */
export async function tidyGenerations(folder: string): Promise<void> {
  if ((await newestGeneration(folder)) === undefined) return;
  const temporaries = (await readdir(folder)).filter((name) => name.endsWith(".tmp"));
  for (const name of temporaries) await removeFile(join(folder, name));
  await removeOlder(folder);
}

/** In ascending order, so that a generation that is gone has none below it: what {@link commitGeneration} relies on. */
async function removeOlder(folder: string): Promise<void> {
  const older = (await generationsIn(folder)).slice(0, -1);
  for (const generation of older) await removeFile(pathOf(folder, generation));
  if (older.length > 0) await syncFolder(folder);
}

async function generationsIn(folder: string): Promise<number[]> {
  const names = await namesIn(folder);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** The names in a folder; none if there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemCode(error, "ENOENT")) return [];
    throw error;
  }
}

function pathOf(folder: string, generation: number): string {
  return join(folder, `${generation}.json`);
}
