import type { Sources } from "#core/clock.ts";
import { Deadline } from "#resilience/deadline.ts";

/** The budget of a request that has just begun, for {@link Caller.deadline}. */
export function startDeadline(budgetMs: number, sources: Sources): Deadline {
  return new Deadline(budgetMs, sources);
}
