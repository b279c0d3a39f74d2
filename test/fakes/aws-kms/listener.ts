import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";

export type Tls = { readonly cert: string | Buffer; readonly key: string | Buffer };

type Handlers = {
  /** Returns false to have the connection reset at once. */
  readonly accept: () => boolean;
  readonly answer: (request: IncomingMessage, response: ServerResponse, use: { readonly reused: boolean }) => void;
};

/** A socket on 127.0.0.1 that can be closed and opened again under the same port. */
export class Listener {
  readonly #handlers: Handlers;
  readonly #tls: Tls | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;

  constructor(handlers: Handlers, { port, tls }: { readonly port: number; readonly tls: Tls | undefined }) {
    this.#handlers = handlers;
    this.#port = port;
    this.#tls = tls;
  }

  /** The port in use, kept over a stop. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#tls === undefined ? createServer() : createTlsServer({ ...this.#tls });
    this.#server = server;
    server.keepAliveTimeout = 0;
    server.on("connection", (socket: Socket) => this.#track(socket));
    const requests = new WeakMap<Socket, number>();
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const before = requests.get(request.socket) ?? 0;
      requests.set(request.socket, before + 1);
      this.#handlers.answer(request, response, { reused: before > 0 });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Closes the listening socket and cuts every connection, answered or not. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    // A client in this process may keep idle connections: let it see their end before its next request.
    await turnOfTheLoop();
    await turnOfTheLoop();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (!this.#handlers.accept()) socket.resetAndDestroy();
  }
}
