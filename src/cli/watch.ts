import type { Session } from "./session.ts";

const PERIOD_MS = 2000;
/** Erase the screen and go to its first place (ECMA-48 § 8.3.39, § 8.3.21). */
const CLEAR = "\u001b[2J\u001b[H";

/** Shows once, or again and again until the user has seen enough. On a terminal each stands in the place of the last. */
export async function showOrWatch(session: Session, watch: boolean, show: () => Promise<void>): Promise<void> {
  await show();
  if (!watch) return;
  await repeat(session, PERIOD_MS, async () => {
    await session.print(session.io.isTty.stdout ? CLEAR : "\n");
    await show();
  });
}

/** Does something after each period until the user ends it, which is how it is meant to end, also in the middle of a request. */
export async function repeat(session: Session, periodMs: number, step: () => Promise<void>): Promise<void> {
  for (;;) {
    await session.sources.pause(periodMs, session.signal);
    if (session.signal.aborted) return;
    try {
      await step();
    } catch (error) {
      if (session.signal.aborted) return;
      throw error;
    }
  }
}
