import { expect, it } from "vitest";
import { guardMemory } from "#app/memory-guard.ts";

it.each(["--inspect", "--inspect-brk=0", "--heapsnapshot-signal=SIGUSR2", "--heap-prof", "--report-on-signal"])(
  "%s is refused, wherever it is given",
  (option) => {
    expect(() => guardMemory({ execArgv: [option], nodeOptions: undefined })).toThrow(option);
    expect(() => guardMemory({ execArgv: [], nodeOptions: `--no-warnings ${option}` })).toThrow(option);
  },
);

it("other options are left alone", () => {
  expect(() => guardMemory({ execArgv: ["--cpu-prof"], nodeOptions: "--max-old-space-size=512" })).not.toThrow();
});
