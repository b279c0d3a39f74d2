import { unsafeRevealSecret } from "#core/secret.ts";
import { connectionFailure, isBrokenConnection } from "./connection-failure.ts";
import { Failure, usageFailure } from "./failure.ts";
import type { CommandSources } from "./io.ts";
import { asksForSameKey, problemFailure } from "./problem.ts";
import { isResource, type Resource, resourcesAt, textAt } from "./resource.ts";
import type { Settings } from "./settings.ts";
import type { HttpAnswer, Transport } from "./transport.ts";

export type Query = Readonly<Record<string, string | undefined>>;

export type ChangeOptions = {
  /** All checks, nothing changed. */
  readonly dryRun?: boolean | undefined;
  /** The generation that the change was decided on. */
  readonly generation?: number | undefined;
  /** Where the same change may be asked for again by a later run; else one of its own. */
  readonly idempotencyKey?: string | undefined;
};

export type Answer = { readonly status: number; readonly body: Resource; readonly headers: HttpAnswer["headers"] };

/** The REST door as the commands use it. Everything rejects with a {@link Failure}. */
export interface Gateway extends Disposable {
  readonly address: URL;
  get(path: string, query?: Query): Promise<Resource>;
  /** Follows the pages to their end. */
  list(path: string, query?: Query): AsyncGenerator<Resource>;
  /** Changes something, under an Idempotency-Key of its own. */
  change(method: "POST" | "PATCH", path: string, body: unknown, options?: ChangeOptions): Promise<Resource>;
  /** A call that changes nothing: an operation on a key, an explanation, a validation. A string is sent as YAML. */
  operate(path: string, body: unknown): Promise<Resource>;
  /** Whatever the answer's status is. */
  ask(path: string): Promise<Answer>;
  /** The last moment of the server's certificate, epoch milliseconds, once something was asked. */
  certificateEnd(): number | undefined;
}

/** A little more than the gateway's own longest deadline (api.md § 1.8). */
const TIMEOUT_MS = 35_000;

export type GatewayParts = {
  readonly transport: Transport;
  readonly settings: Settings;
  readonly sources: CommandSources;
  readonly signal: AbortSignal;
};

type Outgoing = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export function createGateway(parts: GatewayParts): Gateway {
  const { transport, settings } = parts;
  const accepted = async (outgoing: Outgoing): Promise<Resource> => requireAccepted(await send(parts, outgoing));
  const get = async (path: string, query: Query = {}): Promise<Resource> =>
    await accepted({ method: "GET", path: withQuery(path, query) });
  return {
    address: settings.address,
    get,
    async *list(path, query = {}) {
      let cursor: string | undefined;
      do {
        const page = await get(path, { ...query, cursor });
        yield* resourcesAt(page, "items");
        cursor = textAt(page, "nextCursor");
      } while (cursor !== undefined);
    },
    async change(method, path, body, { dryRun = false, generation, idempotencyKey = parts.sources.uuid() } = {}) {
      const headers = {
        ...(!dryRun && { "Idempotency-Key": idempotencyKey }),
        ...(generation !== undefined && { "If-Match": `"${generation}"` }),
      };
      return await accepted({ method, path: dryRun ? `${path}?dryRun=true` : path, headers, body });
    },
    operate: async (path, body) => await accepted({ method: "POST", path, body }),
    ask: async (path) => await send(parts, { method: "GET", path }),
    certificateEnd: () => transport.certificateEnd(),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}

/** One part of a path, such as a key's name: nothing in it can lead elsewhere. */
export function segment(text: string): string {
  if (text === "" || text === "." || text === "..") throw usageFailure(`"${text}" is no name`, "give a name or an id");
  return encodeURIComponent(text);
}

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs).toString()}`;
}

/** Sends a request; once more where the connection broke or the outcome is unknown: the second bears the same Idempotency-Key. */
async function send(parts: GatewayParts, outgoing: Outgoing): Promise<Answer> {
  const requestId = `cli-${parts.sources.uuid()}`;
  const request = {
    method: outgoing.method,
    path: outgoing.path,
    headers: {
      ...commonHeaders(parts.settings),
      ...bodyHeaders(outgoing.body),
      ...outgoing.headers,
      "X-Request-Id": requestId,
    },
    body: encodeBody(outgoing.body),
  };
  const attempt = async (): Promise<Answer> => {
    const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    return readAnswer(await parts.transport.send({ ...request, signal }));
  };
  try {
    const answer = await attempt().catch(async (error: unknown) => {
      if (isBrokenConnection(error)) return await attempt();
      throw error;
    });
    return asksForSameKey(answer.body) && "Idempotency-Key" in request.headers ? await attempt() : answer;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { address, credential } = parts.settings;
    throw connectionFailure(error, { address, requestId, withCertificate: credential?.kind === "certificate" });
  }
}

function commonHeaders({ credential, namespace }: Settings): Record<string, string> {
  return {
    Accept: "application/json",
    ...(credential?.kind === "api-key" && { Authorization: `Bearer ${unsafeRevealSecret(credential.secret)}` }),
    ...(namespace !== undefined && { "Claviger-Namespace": namespace }),
  };
}

function bodyHeaders(body: unknown): Record<string, string> {
  if (body === undefined) return {};
  return { "Content-Type": typeof body === "string" ? "application/yaml" : "application/json" };
}

function encodeBody(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function readAnswer({ status, headers, body }: HttpAnswer): Answer {
  const value = parseJson(body);
  const requestId = headers["x-request-id"]?.toString();
  if (value === undefined) throw problemFailure(undefined, { status, requestId });
  return { status, headers, body: value };
}

function parseJson(body: Buffer): Resource | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isResource(value) ? value : undefined;
  } catch {
    return undefined; // told by the caller: no JSON is no answer of ours
  }
}

function requireAccepted({ status, headers, body }: Answer): Resource {
  if (status >= 200 && status < 300) return body;
  throw problemFailure(body, {
    status,
    requestId: headers["x-request-id"]?.toString(),
    retryAfter: headers["retry-after"],
  });
}
