import { request as httpRequest, type RequestOptions } from "node:http";
import { connect } from "node:net";
import type { Request, Response } from "express";
import { z } from "zod";
import type { Principal } from "#core/access.ts";
import { KmsError } from "#core/errors.ts";
import { badPath, type Kit, mountRoutes, noRoute, type Served } from "#http/mount.ts";
import { authenticatedRoute, publicRoute, type Reply, type RequestFacts, type Route } from "#http/route.ts";
import { openServer, type RunningServer, type ServerOptions } from "#http/server.ts";

export const TOKEN = "a-good-token";
const principal = { client: { name: "tester" }, credentialId: "crd_1" } as unknown as Principal;

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, read as JSON. */
  readonly json: Readonly<Record<string, unknown>>;
};

export type Asked = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** Sends no `Content-Length`. */
  readonly chunked?: boolean;
  readonly anonymous?: boolean;
};

/** A server with a few routes over plain HTTP, and what asks it. */
export class HttpFixture implements AsyncDisposable {
  readonly served: Served[] = [];
  readonly facts: RequestFacts[] = [];
  refusal: KmsError | undefined;
  /** What the handler of `POST /v1/things/{thing}` does. */
  handle: (input: {
    readonly params: Readonly<Record<string, string>>;
    readonly body: unknown;
    readonly query: unknown;
  }) => Promise<Reply>;
  readonly #server: RunningServer;

  private constructor(server: RunningServer) {
    this.#server = server;
    this.handle = (input) => Promise.resolve({ status: 200, body: { ...input } });
  }

  static async open(): Promise<HttpFixture> {
    let ids = 0;
    const newRequestId = (): string => `req_${(ids += 1)}`;
    const handler: { handle: ServerOptions["handle"] } = { handle: () => undefined };
    const handle: ServerOptions["handle"] = (request, response) => handler.handle(request, response);
    const server = await openServer({ host: "127.0.0.1", port: 0, tls: undefined, newRequestId, handle });
    const fixture = new HttpFixture(server);
    const kit = fixture.#kit(newRequestId);
    const router = mountRoutes(fixture.#routes(), kit);
    handler.handle = (request, response) => {
      router(request as Request, response as Response, (error: unknown) => {
        if (error === undefined || error === null) noRoute(kit, request, response);
        else badPath(kit, request, response, error);
      });
    };
    return fixture;
  }

  get port(): number {
    return this.#server.port;
  }

  get server(): RunningServer {
    return this.#server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close(100);
  }

  /** One request on a connection of its own. */
  ask({
    method = "POST",
    path = "/v1/things/one",
    headers = {},
    body,
    chunked,
    anonymous,
  }: Asked = {}): Promise<Answer> {
    const whole = { "Content-Length": String(Buffer.byteLength(body ?? "")) };
    const length = chunked === true ? { "Transfer-Encoding": "chunked" } : body === undefined ? {} : whole;
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const credential = anonymous === true ? {} : { Authorization: `Bearer ${TOKEN}` };
    const options: RequestOptions = {
      host: "127.0.0.1",
      port: this.port,
      method,
      path,
      headers: { ...length, ...type, ...credential, ...headers },
      agent: false,
    };
    return new Promise((resolve, reject) => {
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  /** What comes back for bytes that no client would send. */
  raw(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write(bytes));
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
  }

  #kit(newRequestId: () => string): Kit {
    return {
      budgets: { dataMs: 2000, otherMs: 30_000 },
      newRequestId,
      monotonicMs: () => 0,
      authenticate: ({ headers }) => {
        if (headers.authorization === `Bearer ${TOKEN}`) return principal;
        throw new KmsError("UNAUTHENTICATED", "wanted a valid credential");
      },
      refuses: (route) => (route.plane === "ops" ? undefined : this.refusal),
      onServed: (served) => {
        this.served.push(served);
      },
    };
  }

  #routes(): readonly Route[] {
    const common = { maxBodyBytes: 1000, summary: "", answers: {}, query: undefined } as const;
    const thing = { ...common, path: "/v1/things/:thing", plane: "control", changes: true } as const;
    const body = z.strictObject({ name: z.string().max(10).optional(), data: z.unknown().optional() });
    const handle = (input: {
      facts: RequestFacts;
      params: Readonly<Record<string, string>>;
      body: unknown;
      query: unknown;
    }): Promise<Reply> => {
      this.facts.push(input.facts);
      const { params, query } = input;
      return this.handle({ params, body: input.body, query });
    };
    return [
      authenticatedRoute({ ...thing, method: "POST", operation: "things.create", body, handle }),
      authenticatedRoute({ ...thing, method: "PATCH", operation: "things.update", body, handle }),
      authenticatedRoute({ ...thing, method: "DELETE", operation: "things.delete", body: undefined, handle }),
      authenticatedRoute({
        ...common,
        path: "/v1/things",
        plane: "control",
        changes: false,
        method: "GET",
        operation: "things.list",
        body: undefined,
        query: z.strictObject({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          state: z.enum(["on"]).optional(),
        }),
        handle,
      }),
      authenticatedRoute({
        ...common,
        path: "/v1/use",
        plane: "data",
        changes: false,
        method: "POST",
        operation: "use",
        body,
        handle,
      }),
      authenticatedRoute({
        ...common,
        path: "/v1/policy",
        plane: "control",
        changes: false,
        method: "POST",
        operation: "policy",
        body: undefined,
        consumes: "application/yaml",
        handle,
      }),
      publicRoute({
        ...common,
        maxBodyBytes: 0,
        path: "/text",
        plane: "ops",
        changes: false,
        method: "GET",
        operation: "text",
        body: undefined,
        produces: "text/plain",
        handle: () => Promise.resolve({ status: 200, body: "plain", headers: { "Content-Type": "text/plain" } }),
      }),
    ];
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {}; // not every answer is JSON, and a test that wants JSON finds nothing
  }
}
