import { expect, it } from "vitest";
import { RetryBudget } from "#resilience/retry-budget.ts";
import { fakeSources, pass, useFakeTime } from "./time.ts";

useFakeTime();

function taken(budget: RetryBudget, tries: number): number {
  return Array.from({ length: tries }, () => budget.take()).filter(Boolean).length;
}

it("a budget has a tenth of the calls of the last ten seconds", async () => {
  const budget = new RetryBudget(fakeSources().clock);
  for (let i = 0; i < 500; i++) budget.noteCall();
  await pass(9_000);
  expect(taken(budget, 1_000)).toBe(50);
});

it("a budget forgets calls after ten seconds", async () => {
  const budget = new RetryBudget(fakeSources().clock);
  for (let i = 0; i < 500; i++) budget.noteCall();
  await pass(11_000);
  expect(taken(budget, 1_000)).toBe(10);
});

it("a budget has at least ten in every second", async () => {
  const budget = new RetryBudget(fakeSources().clock);
  expect(taken(budget, 50)).toBe(10);
  await pass(1_000);
  expect(taken(budget, 50)).toBe(10);
});
