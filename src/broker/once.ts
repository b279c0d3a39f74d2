import type { IdempotencyEntry } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { Caller, Changed, IdempotencyRequest } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";

/** Makes the entry that the change keeps in its own transaction; undefined if the request has no Idempotency-Key. */
export type Keep = (status: number, resource: string) => IdempotencyEntry | undefined;

/** A change that a repeated request must not make twice. */
export type Repeatable<T> = {
  readonly run: (keep: Keep) => Promise<{ readonly value: T; readonly status: number }>;
  /** The resource as it is now, never with a secret. */
  readonly again: (resource: string) => Promise<T> | T;
};

/**
 * Runs a change once per Idempotency-Key and credential; the same request again answers the current resource.
 * @throws {KmsError} `IDEMPOTENCY_KEY_REUSED` for another request under the key; `IDEMPOTENCY_KEY_IN_USE` while the first one runs.
 */
export async function once<T>(parts: BrokerParts, caller: Caller, { run, again }: Repeatable<T>): Promise<Changed<T>> {
  const request = caller.idempotency;
  if (request === undefined || caller.dryRun) return { ...(await run(() => undefined)), replayed: false };
  const credential = caller.principal.credentialId;
  const slot = `${credential}/${request.key}`;
  if (parts.running.has(slot)) {
    throw new KmsError("IDEMPOTENCY_KEY_IN_USE", "the first request with this Idempotency-Key still runs", {
      retryAfterSeconds: 1,
    });
  }
  parts.running.add(slot);
  try {
    const kept = await parts.store.findIdempotency(credential, request.key);
    if (kept !== undefined) return await replay(parts, kept, { request, again });
    const keep: Keep = (status, resource) => ({
      credential,
      ...request,
      status,
      resource,
      time: parts.sources.clock.now(),
    });
    return await runOrReplay(parts, { run: async () => await run(keep), again, request, credential });
  } finally {
    parts.running.delete(slot);
  }
}

type Run<T> = Pick<Repeatable<T>, "again"> & {
  readonly run: () => Promise<{ readonly value: T; readonly status: number }>;
  readonly request: IdempotencyRequest;
  readonly credential: string;
};

/** Another process may have had the same request, and been quicker: then that is the answer, and not that its name is taken. */
async function runOrReplay<T>(parts: BrokerParts, { run, again, request, credential }: Run<T>): Promise<Changed<T>> {
  try {
    return { ...(await run()), replayed: false };
  } catch (error) {
    const kept = await parts.store.findIdempotency(credential, request.key);
    if (kept === undefined) throw error;
    return await replay(parts, kept, { request, again });
  }
}

type Replay<T> = Pick<Run<T>, "request" | "again">;

async function replay<T>(
  { store }: BrokerParts,
  kept: IdempotencyEntry,
  { request, again }: Replay<T>,
): Promise<Changed<T>> {
  const same = kept.method === request.method && kept.path === request.path && kept.bodyDigest === request.bodyDigest;
  if (!same)
    throw new KmsError("IDEMPOTENCY_KEY_REUSED", "the Idempotency-Key was used for another method, path or body");
  await store.refresh(); // another process may have made it
  return { value: await again(kept.resource), status: kept.status, replayed: true };
}
