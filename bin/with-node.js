// node bin/with-node.js COMMAND …: runs a development tool with a Node new enough first in PATH.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname } from "node:path";
import { findNode, refuse } from "./find-node.js";

const node = findNode();
if (node === undefined) refuse();
else run(node, process.argv.slice(2));

function run(found, [command, ...args]) {
  const child = spawn(command, args, {
    stdio: "inherit",
    env: { ...process.env, PATH: dirname(found) + delimiter + process.env.PATH },
    shell: process.platform === "win32",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
