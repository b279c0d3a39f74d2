import type { Scheduler } from "#core/clock.ts";
import type { ObjectStore } from "./objects.ts";

const INTERVAL_MS = 3_600_000;

/**
 * Meets every key at start and once an hour, so that one past its destruction time is erased though nobody asks for it, and tidies up
 * after writers that crashed. A key that cannot be read is left to whoever asks for it next.
 */
export function startSweeper(store: ObjectStore, scheduler: Scheduler): Disposable {
  let timer: Disposable | undefined;
  let isStopped = false;
  const run = () => {
    void sweep(store).finally(() => {
      if (!isStopped) timer = scheduler.after(INTERVAL_MS, run);
    });
  };
  run();
  return {
    [Symbol.dispose]: () => {
      isStopped = true;
      timer?.[Symbol.dispose]();
    },
  };
}

async function sweep(store: ObjectStore): Promise<void> {
  const ids = await store.ids().catch(() => []);
  for (const id of ids) {
    await store.use(id, () => undefined).catch(() => undefined);
    await store.tidy(id).catch(() => undefined);
  }
}
