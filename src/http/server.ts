import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { constants } from "node:crypto";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { setDefaultHighWaterMark } from "node:stream";
import { createSecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import { KmsError } from "#core/errors.ts";
import { PeerCertificates, type PeerRefusal } from "./peer-certificates.ts";
import { PROBLEM_TYPE, toProblem } from "./problem.ts";

/** PEM texts: what the server presents, and the authorities of the client certificates that it takes (absent: it asks for none). */
export type Tls = { readonly certificate: string; readonly key: string; readonly clientAuthorities?: string };

export type ServerOptions = {
  readonly host: string;
  readonly port: number;
  /** PEM texts; undefined: plain HTTP, which the caller allows on loopback only. */
  readonly tls: Tls | undefined;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly newRequestId: () => string;
  /** Keeps who is on which connection, where `tls` has client authorities. */
  readonly peers?: PeerCertificates;
  readonly onPeerRefused?: (refusal: PeerRefusal) => void;
};

/** A listening server. */
export interface RunningServer {
  readonly port: number;
  /**
   * Presents another certificate to new connections, and asks them for certificates of other authorities; those before must connect again to be known.
   * Throws what OpenSSL says of a certificate that it does not take, and then nothing has changed.
   */
  renew(tls: Tls): void;
  /** Takes no new connection, lets running requests end (`graceMs` at most), then closes every socket. */
  close(graceMs: number): Promise<void>;
}

/**
 * More than any answer has. A connection whose answer is still being written pauses the parser when the next request comes, and over TLS Node
 * (24.21) then hands the paused parser the rest of that request: "HPE_PAUSED", and the connection is lost. So no answer may fill a socket.
 */
const SOCKET_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
const SWEEP_MS = 20;

/** Listens; rejects with a sentence for an operator, such as a port in use. */
export async function openServer(options: ServerOptions): Promise<RunningServer> {
  setDefaultHighWaterMark(false, SOCKET_BYTES);
  const server = createServer(options);
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    refuse(error, socket, options.newRequestId());
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  let authorities = options.tls?.clientAuthorities;
  return {
    port,
    renew: (tls) => {
      if (!("setSecureContext" in server)) return;
      renewContext(server as HttpsServer, contextOptions(tls));
      if (tls.clientAuthorities === authorities) return;
      authorities = tls.clientAuthorities;
      options.peers?.forget();
      server.closeIdleConnections();
    },
    close: async (graceMs) => {
      await close(server, graceMs);
    },
  };
}

function createServer({ tls, handle, peers = new PeerCertificates(), onPeerRefused }: ServerOptions): Server {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, noDelay: true };
  if (tls === undefined) return createHttpServer(limits, handle);
  const requestCert = tls.clientAuthorities !== undefined;
  // A connection without a certificate is welcome, so Node lets every one pass, and the listener below ends what does not verify
  const server = createHttpsServer(
    { ...limits, ...contextOptions(tls), requestCert, rejectUnauthorized: false },
    handle,
  );
  if (requestCert) {
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      const refusal = peers.admit(socket);
      if (refusal === undefined) return;
      socket.destroy();
      onPeerRefused?.(refusal);
    });
  }
  return server;
}

/** `setSecureContext` of Node (24.21) passes `allowPartialTrustChain` over, so the context that new connections get is put in its place. */
function renewContext(server: HttpsServer, options: SecureContextOptions): void {
  if (!("_sharedCreds" in server)) throw new Error("this version of Node does not say where its TLS context is");
  const context = createSecureContext(options);
  server.setSecureContext(options);
  Object.assign(server, { _sharedCreds: context });
}

function contextOptions({ certificate, key, clientAuthorities }: Tls): SecureContextOptions {
  const own = { cert: certificate, key, minVersion: "TLSv1.2" } as const;
  if (clientAuthorities === undefined) return own;
  // A session that is resumed would bring a certificate back that nobody looks at again
  return {
    ...own,
    ca: clientAuthorities,
    allowPartialTrustChain: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

async function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new Error(listenProblem(error, host, port), { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
}

function listenProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === "EADDRINUSE") return `port ${port} on ${host} is in use; stop who uses it, or give another with --port`;
  if (code === "EACCES") return `port ${port} on ${host} is not allowed to this user; give one above 1023 with --port`;
  if (code === "EADDRNOTAVAIL") return `listen.host: ${host} is no address of this machine`;
  return `cannot listen on ${host}:${port}: ${message}`;
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  // A connection that becomes idle once its request has ended would otherwise be kept alive
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, SWEEP_MS);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}

/** What Node's parser refuses still gets a problem document. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const kms =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new KmsError("HEADERS_TOO_LARGE", `headers: wanted at most ${MAX_HEADER_BYTES} bytes`)
      : new KmsError("INVALID_ARGUMENT", "the request is not well-formed http");
  const problem = toProblem(kms, requestId);
  const body = JSON.stringify(problem);
  const reason = problem.status === 431 ? "Request Header Fields Too Large" : "Bad Request";
  const head = [`HTTP/1.1 ${problem.status} ${reason}`, `Content-Type: ${PROBLEM_TYPE}`, `X-Request-Id: ${requestId}`];
  socket.end(
    `${[...head, `Content-Length: ${Buffer.byteLength(body)}`, "Connection: close"].join("\r\n")}\r\n\r\n${body}`,
  );
}
