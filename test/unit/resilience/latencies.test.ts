import { expect, it } from "vitest";
import { Latencies } from "#resilience/latencies.ts";

const of = (samples: readonly number[]): Latencies => {
  const latencies = new Latencies();
  for (const ms of samples) latencies.add(ms);
  return latencies;
};
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

it("quantiles are unknown below twenty samples", () => {
  expect([of(upTo(19)).quantile(0.99), of(upTo(20)).quantile(0.99)]).toEqual([null, 20]);
});

it("quantiles are those of the last 256 samples, in whatever order they came", () => {
  const latencies = of([...Array<number>(256).fill(9_999), ...upTo(256).toReversed()]);
  expect([0, 0.5, 0.99, 1].map((share) => latencies.quantile(share))).toEqual([1, 129, 254, 256]);
});

it("a sample after a quantile is not forgotten", () => {
  const latencies = of(upTo(20));
  expect(latencies.quantile(0.99)).toBe(20);
  latencies.add(100);
  expect(latencies.quantile(0.99)).toBe(100);
});
