import type { Scheduler } from "#core/clock.ts";
import type { RunningServer } from "#http/server.ts";
import { Background } from "#lifecycle/background.ts";
import { TlsFiles, type TlsFilesOptions } from "./tls-files.ts";

const RENEW_MS = 12 * 3_600_000;

export type FollowOptions = Pick<TlsFilesOptions, "paths" | "read" | "log"> & {
  readonly server: Pick<RunningServer, "renew">;
  readonly scheduler: Scheduler;
  /** Calls back whenever an operator wants the files read again. */
  readonly onReload: ((listener: () => void) => Disposable) | undefined;
  /** Writes the files anew where their certificate is about to end; undefined where that is an operator's work. */
  readonly renewFiles: (() => Promise<unknown>) | undefined;
};

/** Keeps the certificates of a listener as its files are, until it is disposed. */
export async function followTlsFiles({
  server,
  scheduler,
  log,
  paths,
  read,
  onReload,
  renewFiles,
}: FollowOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const renew: TlsFilesOptions["renew"] = (tls) => {
    server.renew(tls);
  };
  const files = stack.use(new TlsFiles({ paths, read, renew, scheduler, log }));
  await files.start();
  const reloading = onReload?.(() => void files.reload());
  if (reloading !== undefined) stack.use(reloading);
  if (renewFiles !== undefined) stack.use(renewing(renewFiles, { scheduler, log }));
  return stack.move();
}

function renewing(
  run: () => Promise<unknown>,
  { scheduler, log }: Pick<FollowOptions, "scheduler" | "log">,
): Background {
  const task = {
    name: "renewing the certificate",
    everyMs: RENEW_MS,
    run: async () => {
      await run();
    },
  };
  return new Background([task], {
    scheduler,
    holdLease: async () => await Promise.resolve(true),
    onFailure: (name, error) => {
      const reason = error instanceof Error ? error.message : "unknown";
      log.error({ code: "TLS_NOT_RENEWED", reason }, `TLS_NOT_RENEWED: ${name} failed, and is tried again: ${reason}`);
    },
  });
}
