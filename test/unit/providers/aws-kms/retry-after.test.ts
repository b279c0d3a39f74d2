import { expect, it } from "vitest";
import { retryAfterMs } from "#providers/aws-kms/retry-after.ts";

const date = "Wed, 25 Nov 2026 10:00:00 GMT";

it.for([
  { name: "seconds", headers: { "retry-after": "3" }, wait: 3000 },
  { name: "no wait", headers: { "retry-after": "0" }, wait: 0 },
  { name: "a date", headers: { "retry-after": "Wed, 25 Nov 2026 10:00:30 GMT", date }, wait: 30_000 },
  {
    name: "a date that has passed",
    headers: { "retry-after": "Wed, 25 Nov 2026 09:00:00 GMT", date },
    wait: undefined,
  },
  {
    name: "a date without the answer's own",
    headers: { "retry-after": "Wed, 25 Nov 2026 10:00:30 GMT" },
    wait: undefined,
  },
  { name: "nonsense", headers: { "retry-after": "soon", date }, wait: undefined },
  { name: "a negative number", headers: { "retry-after": "-5" }, wait: undefined },
  { name: "more than a million seconds", headers: { "retry-after": "1000000" }, wait: undefined },
  { name: "no header", headers: {}, wait: undefined },
])("a Retry-After of $name", ({ headers, wait }) => {
  expect(retryAfterMs(headers)).toBe(wait);
});
