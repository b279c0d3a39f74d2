import { expect, it } from "vitest";
import { type Failure, FAILURES, type ProviderFault } from "#core/failures.ts";
import { repetition } from "#resilience/repetition.ts";

type Input = Parameters<typeof repetition>[0];
const fault = (part: Partial<ProviderFault>): ProviderFault => ({ failure: "OUTAGE", detail: "", ...part });
const ask = (part: Partial<Input>) =>
  repetition({
    fault: fault({}),
    repeated: 0,
    last: false,
    mutation: false,
    changed: false,
    leftMs: 2_000,
    draw: 0.5,
    ...part,
  });
const broken = fault({ answered: false });
const throttled = fault({ failure: "THROTTLED" });

it.for<{ name: string; input: Partial<Input>; waitMs: number | undefined }>([
  { name: "a broken connection", input: { fault: broken }, waitMs: 0 },
  { name: "a broken connection, twice", input: { fault: broken, repeated: 1 }, waitMs: undefined },
  { name: "a broken connection, twice, the last", input: { fault: broken, repeated: 1, last: true }, waitMs: 55 },
  {
    name: "a broken connection, thrice, the last",
    input: { fault: broken, repeated: 2, last: true },
    waitMs: undefined,
  },
  { name: "a broken connection of a change", input: { fault: broken, mutation: true }, waitMs: undefined },
  { name: "a broken connection at the end of the time", input: { fault: broken, leftMs: 0 }, waitMs: undefined },
  { name: "an answered outage", input: {}, waitMs: undefined },
  { name: "an answered outage, the last", input: { last: true }, waitMs: 55 },
  { name: "an answered outage, twice, the last", input: { last: true, repeated: 1 }, waitMs: undefined },
  {
    name: "an answered outage, the last, without time for the wait",
    input: { last: true, leftMs: 55 },
    waitMs: undefined,
  },
  { name: "a checksum", input: { fault: fault({ failure: "CHECKSUM" }) }, waitMs: 0 },
  {
    name: "a checksum, twice",
    input: { fault: fault({ failure: "CHECKSUM" }), repeated: 1, last: true },
    waitMs: undefined,
  },
  { name: "throttling with others to come", input: { fault: throttled }, waitMs: undefined },
  { name: "throttling, the last", input: { fault: throttled, last: true }, waitMs: 200 },
  {
    name: "throttling, the last, that says when",
    input: { fault: { ...throttled, retryAfterMs: 500 }, last: true },
    waitMs: 500,
  },
  {
    name: "throttling for more than a quarter",
    input: { fault: { ...throttled, retryAfterMs: 501 }, last: true },
    waitMs: undefined,
  },
  { name: "a state", input: { fault: fault({ failure: "STATE" }), last: true }, waitMs: undefined },
  {
    name: "a state that we may have changed just now",
    input: { fault: fault({ failure: "STATE" }), changed: true },
    waitMs: 200,
  },
  {
    name: "a key that may not be seen yet, twice",
    input: { fault: fault({ failure: "NOT_FOUND" }), changed: true, repeated: 1 },
    waitMs: undefined,
  },
  { name: "credentials, which are refreshed", input: { fault: fault({ failure: "CREDENTIALS" }) }, waitMs: 0 },
  { name: "credentials, twice", input: { fault: fault({ failure: "CREDENTIALS" }), repeated: 1 }, waitMs: undefined },
  { name: "throttling, twice", input: { fault: throttled, last: true, repeated: 1 }, waitMs: undefined },
])("$name: $waitMs", ({ input, waitMs }) => {
  expect(ask(input)).toBe(waitMs);
});

it.for(
  Object.keys(FAILURES).filter(
    (name) => !["OUTAGE", "CHECKSUM", "THROTTLED", "CREDENTIALS"].includes(name),
  ) as Failure[],
)("%s is never repeated", (failure) => {
  expect(ask({ fault: fault({ failure, answered: false }), last: true })).toBeUndefined();
});
