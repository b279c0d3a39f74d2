import { readFile } from "node:fs/promises";
import { KmsError } from "#core/errors.ts";
import { DEFAULT_CONFIG } from "#config/default.ts";
import { parseConfig } from "#config/parse.ts";
import { formatProblem } from "#config/problem.ts";
import type { Config } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import type { OfflineHost } from "./host.ts";

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  /** One line per mistake: `FILE:LINE:COL: message`. */
  | { readonly ok: false; readonly lines: readonly string[] };

/** Reads a configuration, or the one that a gateway runs without any. */
export async function loadConfig(
  file: string | undefined,
  { environment, readText }: OfflineHost,
): Promise<LoadedConfig> {
  const text =
    file === undefined ? DEFAULT_CONFIG : await readFile(file, "utf8").catch((error: unknown) => unreadable(error));
  if (text instanceof Error) return { ok: false, lines: [`${file ?? "default"}: cannot be read (${text.message})`] };
  const parsed = await parseConfig({ text, kinds: PROVIDER_KINDS, environment, readFile: readText });
  if (parsed.ok) return parsed;
  return { ok: false, lines: parsed.problems.map((problem) => formatProblem(file ?? "default", problem)) };
}

/** @throws {KmsError} `INVALID_ARGUMENT` with every mistake */
export async function requireConfig(file: string | undefined, host: OfflineHost): Promise<Config> {
  const loaded = await loadConfig(file, host);
  if (loaded.ok) return loaded.config;
  throw new KmsError("INVALID_ARGUMENT", loaded.lines.join("; "), { help: "mend the configuration" });
}

function unreadable(error: unknown): Error {
  return new Error(error instanceof Error && "code" in error ? String(error.code) : "unknown", { cause: error });
}
