import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";

export type Tls = { readonly cert: string; readonly key: string };

type Handlers = {
  /** Returns false to have the connection reset at once. */
  readonly accept: () => boolean;
  readonly answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
};

/** A socket on 127.0.0.1 that speaks HTTP/2, and can be closed and opened again under the same port. */
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
    const http2 = this.#createHttp2();
    const server = createTcpServer((socket) => this.#take(socket, http2));
    this.#server = server;
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

  /** The HTTP/2 side never listens: it is handed connections, after TCP has let them in. */
  #createHttp2(): Http2Server | Http2SecureServer {
    const http2 = this.#tls === undefined ? createServer() : createSecureServer({ ...this.#tls });
    http2.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on("error", () => stream.destroy());
      this.#handlers.answer(stream, headers);
    });
    http2.on("sessionError", () => undefined);
    return http2;
  }

  #take(socket: Socket, http2: Http2Server | Http2SecureServer): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (this.#handlers.accept()) http2.emit("connection", socket);
    else socket.resetAndDestroy();
  }
}
