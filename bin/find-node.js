// Plain JavaScript for Node 14 and newer: it runs before a newer Node is found.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const WANTED_MAJOR = 24;

/** The path of a Node new enough: this one, or the one among our optional dependencies; undefined if there is neither. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= WANTED_MAJOR) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`));
    return join(folder, "bin", platform === "win" ? "node.exe" : "node");
  } catch {
    return undefined;
  }
}

export function refuse() {
  console.error(
    `claviger: wanted Node.js ${WANTED_MAJOR} or newer, got ${process.versions.node}, and no node-${process.platform}-${process.arch} ` +
      `package is installed. Install Node.js ${WANTED_MAJOR}, or run "npm ci" without --omit=optional.`,
  );
  process.exit(1);
}
