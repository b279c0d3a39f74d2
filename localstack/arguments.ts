import { parseArgs } from "node:util";
import { EMULATORS } from "./catalogue.ts";

export const USAGE = `usage: node localstack/emulators.ts [--json] [--only NAME]... [--port NAME=PORT]... [-- COMMAND...]

Starts the emulators and prints their endpoints, a line each (with --json: one object), until Ctrl-C.
With COMMAND: runs it with CLAVIGER_EMULATORS in its environment, then stops them and exits with its code.
Names: ${EMULATORS.map(({ name }) => name).join(", ")}`;

export type LaunchOptions = {
  readonly json: boolean;
  /** The emulators to start, by name; never empty. */
  readonly names: readonly string[];
  /** Ports asked for, by the emulator's name; the others get a free one. */
  readonly ports: ReadonlyMap<string, number>;
  /** Empty when no command was given. */
  readonly command: readonly string[];
};

/** Parses what follows the script's name. Throws an `Error` that says what was wanted and what came. */
export function parseArguments(argv: readonly string[]): LaunchOptions {
  const end = argv.indexOf("--");
  const { values } = parseArgs({
    args: end === -1 ? [...argv] : argv.slice(0, end),
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: EMULATORS.map(({ name }) => name) },
      port: { type: "string", multiple: true, default: [] },
    },
  });
  if (end !== -1 && end === argv.length - 1) throw new Error("wanted a command after --, got nothing");
  return {
    json: values.json,
    names: values.only.map(parseName),
    ports: new Map(values.port.map(parsePort)),
    command: end === -1 ? [] : argv.slice(end + 1),
  };
}

function parseName(name: string): string {
  if (EMULATORS.some((kind) => kind.name === name)) return name;
  throw new Error(`no emulator is called ${JSON.stringify(name)}`);
}

function parsePort(text: string): [name: string, port: number] {
  const [, name = "", digits = ""] = /^(.+)=([1-9]\d{0,4})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (name === "" || port > 65_535) throw new Error(`--port: wanted NAME=PORT with a port of 1 to 65535, got ${text}`);
  return [parseName(name), port];
}
