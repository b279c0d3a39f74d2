import type { IncomingMessage, ServerResponse } from "node:http";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import { createId } from "#core/ids.ts";
import { PROBLEM_TYPE, toProblem } from "#http/problem.ts";
import { openServer, type RunningServer, type Tls } from "#http/server.ts";

const AGAIN_MS = 1000;
const CLOSE_MS = 1000;

export type SealedOptions = {
  readonly sources: Sources;
  readonly version: string;
  readonly log: { readonly warn: (fields: object, message: string) => void };
  readonly host: string;
  readonly port: number;
  /** How to listen meanwhile; undefined where there is no certificate yet. */
  readonly tls: () => Promise<{ readonly tls: Tls | undefined } | undefined>;
  /** Looks for the providers that have not answered. */
  readonly reach: () => Promise<void>;
  /** Resolves when the process is told to stop. */
  readonly stop: Promise<void>;
};

/**
 * Opens the root key, and where no provider can be had for it now tries again until one can: a provider that is away does not stop the
 * start. Meanwhile the gateway is sealed: it listens, and answers 503 `SEALED` to everything but health.
 *
 * @throws {KmsError} what `open` says where waiting does not help; `SHUTTING_DOWN` when the process is told to stop
 */
export async function untilUnsealed<T>(open: () => Promise<T>, options: SealedOptions): Promise<T> {
  const first = await attempt(open);
  if (first.ok) return first.value;
  await using stack = new AsyncDisposableStack();
  const server = await listenSealed(options);
  stack.defer(async () => {
    await server?.close(CLOSE_MS);
  });
  tell(options, first.away, server);
  for (;;) {
    await pauseUnlessStopped(options, AGAIN_MS);
    await options.reach();
    const next = await attempt(open);
    if (next.ok) return next.value;
  }
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly away: KmsError };

async function attempt<T>(open: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await open() };
  } catch (error) {
    if (isAway(error)) return { ok: false, away: error };
    throw error;
  }
}

/** Nobody opens the root key now. What contradicts the pin, or is missing, no time mends. */
export function noRecipient(message: string, cause?: unknown): KmsError {
  return new KmsError("SEALED", message, { cause, retryAfterSeconds: 1 });
}

function isAway(error: unknown): error is KmsError {
  return error instanceof KmsError && error.code === "SEALED" && error.retryAfterSeconds !== undefined;
}

/** @throws {KmsError} `SHUTTING_DOWN` */
export async function pauseUnlessStopped(
  { sources, stop }: { readonly sources: Pick<Sources, "scheduler">; readonly stop: Promise<void> },
  ms: number,
): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<"over">();
  const timer = sources.scheduler.after(ms, () => {
    resolve("over");
  });
  const ended = await Promise.race([over, stop.then(() => "stopped" as const)]);
  timer[Symbol.dispose]();
  if (ended === "stopped") throw new KmsError("SHUTTING_DOWN", "it was told to stop before it had started");
}

async function listenSealed({ host, port, tls, version, sources }: SealedOptions): Promise<RunningServer | undefined> {
  const how = await tls();
  if (how === undefined) return undefined;
  const newRequestId = (): string => createId("req", sources);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answerSealed(request, response, { version, requestId: newRequestId() });
  };
  return await openServer({ host, port, tls: how.tls, handle, newRequestId });
}

function tell({ log, host }: SealedOptions, away: KmsError, server: RunningServer | undefined): void {
  const meanwhile = server === undefined ? "" : `; until then it listens on ${host}:${server.port} and serves nothing`;
  log.warn({ code: "SEALED" }, `SEALED: ${away.publicMessage}; it is tried again every second${meanwhile}`);
}

function answerSealed(
  { url = "/" }: IncomingMessage,
  response: ServerResponse,
  { version, requestId }: { readonly version: string; readonly requestId: string },
): void {
  const [path] = url.split("?");
  const send = (status: number, type: string, body: object): void => {
    response.writeHead(status, {
      "Content-Type": type,
      "Cache-Control": "no-store",
      "X-Request-Id": requestId,
      ...(status === 503 ? { "Retry-After": "1" } : {}),
    });
    response.end(JSON.stringify(body));
  };
  if (path === "/healthz") send(200, "application/json", { status: "ok", version });
  else if (path === "/readyz") send(503, "application/json", { ready: false, because: ["sealed"] });
  else
    send(503, PROBLEM_TYPE, toProblem(noRecipient("the gateway is sealed: no provider opens its root key"), requestId));
}
