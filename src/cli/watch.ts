import type { Session } from "./session.ts";

const PERIOD_MS = 2000;
/** Erase the screen and go to its first place (ECMA-48 § 8.3.39, § 8.3.21). */
const CLEAR = "\u001b[2J\u001b[H";

/** Shows once, or again and again until the user has seen enough. On a terminal each stands in the place of the last. */
export async function showOrWatch(session: Session, watch: boolean, show: () => Promise<void>): Promise<void> {
  await show();
  if (!watch) return;
  for (;;) {
    await session.sources.pause(PERIOD_MS, session.signal);
    if (session.signal.aborted) return;
    await session.print(session.io.isTty.stdout ? CLEAR : "\n");
    await show();
  }
}
