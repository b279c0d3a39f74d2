import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EXIT, Failure } from "./failure.ts";
import { codeOf } from "./secret-file.ts";
import type { Session } from "./session.ts";

/** Writes a file that only its owner reads (0600), and that must not exist. */
export async function writeNew(session: Session, file: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(resolve(session.io.cwd, file), content, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const code = codeOf(error);
    const why = code === "EEXIST" ? "it exists, and is not overwritten" : "the file cannot be written";
    throw new Failure(
      EXIT.refused,
      { what: `cannot write ${file}`, code, why, next: "name a file that does not exist yet" },
      error,
    );
  }
}
