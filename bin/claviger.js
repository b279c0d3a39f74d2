#!/usr/bin/env node
// Starts Claviger, under a newer Node than this one where this one is too old.
import { spawn } from "node:child_process";
import module from "node:module";
import { fileURLToPath } from "node:url";
import { findNode, refuse } from "./find-node.js";

const node = findNode();
if (node === undefined) refuse();
else if (node === process.execPath) await start();
else handOver(node);

/** Compiled code is kept in the package's own folder: who can write there can write the code itself. Where nobody can, nothing is kept. */
async function start() {
  module.enableCompileCache(fileURLToPath(new URL("../.cache/node", import.meta.url)));
  await import("#main.ts");
}

function handOver(command) {
  const child = spawn(command, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`claviger: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? code : 1);
  });
}
