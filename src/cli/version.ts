import { readFileSync } from "node:fs";

/** The version in the package that this file belongs to; it stands at the same distance in the sources and in the build. */
export function commandVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version?: unknown };
  return typeof version === "string" ? version : "unknown";
}
