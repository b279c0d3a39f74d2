import { expect, it } from "vitest";
import { EXIT, Failure, failureLines, usageFailure } from "#cli/failure.ts";

const typed = { name: "keys show", usage: "npx claviger keys show [options] <key>" };

it("a failure is three lines: what; why, with the code; what next, with the request id", () => {
  const failure = new Failure(EXIT.refused, {
    what: "no such key",
    code: "KEY_NOT_FOUND",
    why: "gone",
    next: "look",
    requestId: "req_1",
  });
  expect(failureLines(failure, typed)).toBe(
    "claviger keys show: no such key\n  why:  gone (KEY_NOT_FOUND)\n  next: look (request req_1)\n",
  );
});

it("a mistake of use tells the usage and where to read on", () => {
  expect(failureLines(usageFailure("unknown option '--x'"), typed)).toBe(
    "claviger keys show: unknown option '--x'\n  why:  usage: npx claviger keys show [options] <key> (USAGE)\n" +
      "  next: npx claviger keys show --help tells how\n",
  );
});

it("it stays three lines whatever is in it, and moves no cursor", () => {
  const nasty = "a\nb\r\u001b[2J\u009b\u202ec\u2028d";
  const failure = new Failure(EXIT.refused, { what: nasty, code: nasty, why: nasty, next: nasty, requestId: nasty });
  const text = failureLines(failure, typed);
  expect(text.split("\n")).toHaveLength(4);
  for (const character of ["\r", "\u001b", "\u009b", "\u202e", "\u2028"]) expect(text).not.toContain(character);
  expect(text).toContain(String.raw`a\u{a}b\u{d}\u{1b}[2J\u{9b}\u{202e}c\u{2028}d`);
});
