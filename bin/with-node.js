// node bin/with-node.js COMMAND …: runs a development tool with a Node new enough first in PATH.
import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { findNode, refuse } from "./find-node.js";

const node = findNode();
if (node === undefined) refuse();
const [command, ...args] = process.argv.slice(2);
const run = spawnSync(command, args, {
  stdio: "inherit",
  env: { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH },
  shell: process.platform === "win32",
});
if (run.error) console.error(`${command}: ${run.error.message}`);
process.exitCode = run.status ?? 1;
