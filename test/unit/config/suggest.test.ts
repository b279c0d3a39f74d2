import { expect, it } from "vitest";
import { suggestName } from "#config/suggest.ts";

it.for([
  ["hostt", ["host", "port"], "host"],
  ["Region", ["region"], "region"],
  ["routs", ["providers", "routes"], "routes"],
  ["prot", ["port", "host"], "port"],
  ["x", ["port"], undefined],
  ["completely-other", ["port", "host"], undefined],
  ["a", [], undefined],
] as const)("for %s of %s it suggests %s", ([wrong, known, suggestion]) => {
  expect(suggestName(wrong, known)).toBe(suggestion);
});
