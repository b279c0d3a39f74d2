import { type FileHandle, open } from "node:fs/promises";
import { EXIT, Failure } from "./failure.ts";

const READABLE_BY_OTHERS = 0o044;

/** A file as it is: its bytes and their text, and whether group or others may read it. */
export type OwnedFile = {
  readonly path: string;
  readonly bytes: Buffer;
  readonly text: string;
  readonly exposed: boolean;
  readonly mode: string;
};

/** Reads a file and its mode through one handle, so that both are of the same file. Undefined if there is no such file. */
export async function readOwned(path: string): Promise<OwnedFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw unreadable(path, error);
  }
  await using file = handle;
  try {
    const { mode } = await file.stat();
    const bytes = await file.readFile();
    // Windows reports modes that say nothing about who may read.
    const exposed = process.platform !== "win32" && (mode & READABLE_BY_OTHERS) !== 0;
    return { path, bytes, text: bytes.toString("utf8"), exposed, mode: `0${(mode & 0o777).toString(8)}` };
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The text of a file that holds a secret; refused where group or others may read it. */
export async function readSecretFile(path: string): Promise<string> {
  const file = await readOwned(path);
  if (file === undefined) {
    throw new Failure(EXIT.refused, {
      what: `cannot read ${path}`,
      code: "ENOENT",
      why: "there is no such file",
      next: "name the file that holds the secret",
    });
  }
  refuseExposed(file);
  return file.text;
}

/** A secret that others may read is nobody's proof. */
export function refuseExposed(file: OwnedFile): void {
  if (!file.exposed) return;
  throw new Failure(EXIT.refused, {
    what: `the secret in ${file.path} is not used`,
    code: "SECRET_EXPOSED",
    why: `its mode ${file.mode} lets group or others read it`,
    next: `chmod 600 ${file.path}, and rotate the credential if somebody may have read it`,
  });
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}

export function unreadable(path: string, error: unknown): Failure {
  const text = {
    what: `cannot read ${path}`,
    code: codeOf(error),
    why: "the file cannot be read",
    next: "name a file that you may read",
  };
  return new Failure(EXIT.refused, text, error);
}
