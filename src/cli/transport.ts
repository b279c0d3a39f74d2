import http from "node:http";
import https from "node:https";
import type { TLSSocket } from "node:tls";
import { unsafeRevealSecret } from "#core/secret.ts";
import type { Settings } from "./settings.ts";

export type HttpRequest = {
  readonly method: string;
  /** Path and query as they go on the wire: nothing is normalised. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
};

export type HttpAnswer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Buffer };

/** One place to send requests to: keeps connections, verifies the server, presents a client certificate. */
export interface Transport extends Disposable {
  /** Rejects with the system's error; an answer of any status resolves. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** The last moment of the server's certificate, epoch milliseconds; undefined before an answer, and over plain HTTP. */
  certificateEnd(): number | undefined;
}

/** Bounds what a broken server can make us hold. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function openTransport(settings: Settings): Transport {
  const secure = settings.address.protocol === "https:";
  const agent = secure
    ? new https.Agent({ keepAlive: true, ...tlsOptions(settings) })
    : new http.Agent({ keepAlive: true });
  const prefix = settings.address.pathname.replace(/\/+$/u, "");
  const [hostname, port] = [settings.address.hostname.replace(/^\[|\]$/gu, ""), settings.address.port];
  let certificateEnd: number | undefined;
  return {
    async send({ method, path, headers, body, signal }) {
      const options = { agent, hostname, port, method, path: `${prefix}${path}`, headers: { ...headers }, signal };
      const request = (secure ? https : http).request(options);
      request.on("socket", (socket) => {
        if (secure) socket.once("secureConnect", () => (certificateEnd = endOf(socket as TLSSocket)));
      });
      return await exchange(request, body);
    },
    certificateEnd: () => certificateEnd,
    [Symbol.dispose]() {
      agent.destroy();
    },
  };
}

function tlsOptions({ cacert, credential }: Settings): https.AgentOptions {
  return {
    minVersion: "TLSv1.2",
    ...(cacert !== undefined && { ca: cacert }),
    ...(credential?.kind === "certificate" && {
      cert: credential.certificate,
      key: unsafeRevealSecret(credential.key),
    }),
  };
}

function endOf(socket: TLSSocket): number | undefined {
  const end = Date.parse(socket.getPeerCertificate().valid_to);
  return Number.isNaN(end) ? undefined : end;
}

function exchange(request: http.ClientRequest, body: Buffer | undefined): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    request.on("error", (error) => {
      // A server may answer before it has read a body that it refuses, and close: the answer counts.
      if (!answered) reject(error);
    });
    request.on("response", (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too large"));
        else chunks.push(chunk);
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}
