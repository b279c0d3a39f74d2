import { expect, it } from "vitest";
import { parseArguments } from "../../../localstack/arguments.ts";

it("nothing said means every emulator on any port, and no command", () => {
  expect(parseArguments([])).toEqual({
    json: false,
    names: ["local-kms", "ministack", "ministack-auth"],
    ports: new Map(),
    command: [],
  });
});

it("what follows the first -- is the command, options of its own included", () => {
  const options = parseArguments([
    "--json",
    "--only",
    "ministack",
    "--port",
    "ministack=4570",
    "--",
    "npm",
    "--",
    "--json",
  ]);
  expect(options).toEqual({
    json: true,
    names: ["ministack"],
    ports: new Map([["ministack", 4570]]),
    command: ["npm", "--", "--json"],
  });
});

it.for([
  ["an unknown option", ["--fast"], /--fast/u],
  ["a word before --", ["vitest"], /vitest/u],
  ["an unknown emulator", ["--only", "moto"], /no emulator is called "moto"/u],
  ["a port of an unknown emulator", ["--port", "moto=1"], /no emulator is called "moto"/u],
  ["a port without a name", ["--port", "4570"], /wanted NAME=PORT/u],
  ["a port out of range", ["--port", "ministack=65536"], /wanted NAME=PORT/u],
  ["port 0", ["--port", "ministack=0"], /wanted NAME=PORT/u],
  ["-- without a command", ["--json", "--"], /wanted a command after --/u],
] as const)("%s is refused", ([, argv, reason]) => {
  expect(() => parseArguments(argv)).toThrow(reason);
});
