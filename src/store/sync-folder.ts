import { open } from "node:fs/promises";

/** Waits until the names in a folder are on the disk: a new or renamed file is safe only then. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // a folder cannot be opened there
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
