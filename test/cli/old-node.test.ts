import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";

const COMMAND = new URL("../../bin/claviger.js", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** A Node on this machine that is too old for the sources, as newcomers have it; undefined if there is none. */
function oldNode(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  return folders
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .find(
      (path) => Number(execFileSync(path, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" })) < 24,
    );
}

const old = oldNode();

describe.skipIf(old === undefined)(
  `the command under an old Node${old === undefined ? ": there is none here" : ""}`,
  () => {
    it("hands over to the new one among its packages", () => {
      const said = execFileSync(old ?? "", [COMMAND, "--version"], { encoding: "utf8", env: {} });
      expect(said.trim()).toBe(version);
    });
  },
);
