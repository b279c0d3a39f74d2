import { describe, expect, it, vi } from "vitest";
import { Deadline } from "#resilience/deadline.ts";
import { answering, fakeSources, hanging, pass, useFakeTime } from "./time.ts";

useFakeTime();

describe("a deadline", () => {
  it("says what is left, for the answer and for calls, and never less than nothing", async () => {
    const deadline = new Deadline(2_000, fakeSources());
    expect([deadline.remainingMs(), deadline.forAttemptsMs()]).toEqual([2_000, 1_900]);
    await pass(1_950);
    expect([deadline.remainingMs(), deadline.forAttemptsMs()]).toEqual([50, 0]);
    await pass(1_000);
    expect([deadline.remainingMs(), deadline.forAttemptsMs()]).toEqual([0, 0]);
  });

  it("keeps a tenth of a short budget for the answer", () => {
    expect(new Deadline(50, fakeSources()).forAttemptsMs()).toBe(45);
  });

  it("gives what comes in time, value or error, and leaves no timer behind", async () => {
    const deadline = new Deadline(100, fakeSources());
    const work = deadline.race(answering("done", 99)());
    await pass(99);
    expect(await work).toBe("done");
    expect(vi.getTimerCount()).toBe(0);
    await expect(deadline.race(Promise.reject(new Error("own")))).rejects.toThrow("own");
  });

  it("ends a wait with DEADLINE_EXCEEDED, and at once when it is over", async () => {
    const deadline = new Deadline(100, fakeSources());
    const late = expect(deadline.race(hanging())).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await pass(100);
    await late;
    const over = expect(deadline.race(hanging())).rejects.toMatchObject({ retryAfterSeconds: 1 });
    await pass(0);
    await over;
    expect(vi.getTimerCount()).toBe(0);
  });
});
