import type { z } from "zod";
import type { Principal } from "#core/access.ts";

export type Plane = "data" | "control" | "ops";
export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** The headers of a request, parsed (api.md § 2). */
export type RequestFacts = {
  readonly requestId: string;
  readonly method: Method;
  /** The path as it was sent, without the query. */
  readonly path: string;
  /** `Claviger-Namespace`; undefined if the request names none. */
  readonly namespace: string | undefined;
  /** The whole budget of the request in milliseconds. */
  readonly deadlineMs: number;
  readonly ifGeneration: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly dryRun: boolean;
  /** SHA-256 of the body's RFC 8785 form, base64; empty unless the request has an Idempotency-Key. */
  readonly bodyDigest: string;
};

export type Params = Readonly<Record<string, string>>;

/** What a handler gets: parsed, checked, and never the request itself. */
export type RouteInput<B, Q> = {
  readonly params: Params;
  readonly body: B;
  readonly query: Q;
  readonly facts: RequestFacts;
};

export type Reply = {
  readonly status: number;
  /** JSON; a text goes out as it is, under its `content-type`. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Who may call: anybody, or whoever has a valid credential (the use case asks for more). */
export type Access = "public" | "authenticated";

/**
 * One route as a record. Every field that protects is required, so that none is forgotten.
 * A route of access `authenticated` gets the principal; one that is public does not.
 */
export type Route = {
  readonly method: Method;
  /** Express's form: `/v1/keys/:key/encrypt`. */
  readonly path: string;
  /** The operation in the metrics; in OpenAPI its id follows from it. */
  readonly operation: string;
  readonly plane: Plane;
  readonly access: Access;
  /** Whether it changes something: takes `dryRun` and an Idempotency-Key. */
  readonly changes: boolean;
  readonly maxBodyBytes: number;
  readonly body: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  /** Content types of the body, in place of JSON. */
  readonly consumes?: string;
  /** Content type of the answer, in place of JSON: what `Accept` is held against. */
  readonly produces?: string;
  readonly handle: (input: RouteInput<never, never>, principal: Principal | undefined) => Promise<Reply>;
  /** For OpenAPI: a line without a full stop. */
  readonly summary: string;
  /** What the summary does not say, in sentences. */
  readonly description?: string;
  /** The operation's id in OpenAPI where `operation` is that of another route too. */
  readonly operationId?: string;
  /** What the body is for a reader, where the schema that parses it does not tell. */
  readonly bodyDoc?: z.ZodType;
  readonly answers: Readonly<Record<number, z.ZodType | undefined>>;
};

type Typed<B extends z.ZodType | undefined, Q extends z.ZodType | undefined> = Omit<
  Route,
  "body" | "query" | "handle" | "access"
> & {
  readonly body: B;
  readonly query: Q;
};
type Output<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;

/** A route for whoever has a credential; the handler's types follow from the schemas. */
export function authenticatedRoute<B extends z.ZodType | undefined, Q extends z.ZodType | undefined>(
  route: Typed<B, Q> & {
    readonly handle: (input: RouteInput<Output<B>, Output<Q>>, principal: Principal) => Promise<Reply>;
  },
): Route {
  return { ...route, access: "authenticated", handle: route.handle as Route["handle"] };
}

/** A route for anybody. */
export function publicRoute<Q extends z.ZodType | undefined>(
  route: Typed<undefined, Q> & { readonly handle: (input: RouteInput<undefined, Output<Q>>) => Promise<Reply> },
): Route {
  return { ...route, access: "public", handle: route.handle };
}
