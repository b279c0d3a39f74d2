import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request as the stub saw it. */
export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

/** What the stub does with a request: answers, or breaks the connection. */
export type StubAnswer =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
      readonly raw?: string;
    }
  | "break";

export type Stub = AsyncDisposable & {
  readonly address: string;
  readonly seen: SeenRequest[];
  /** What the n-th request gets; the last answers all that follow. */
  answer(...answers: readonly StubAnswer[]): void;
};

/** A gateway that says what it is told to say, in order, and remembers what it was asked. */
export async function startStub(tls?: { readonly cert: string; readonly key: string }): Promise<Stub> {
  const seen: SeenRequest[] = [];
  let answers: readonly StubAnswer[] = [{}];
  const answerOne = async (...[request, response]: Parameters<RequestListener>): Promise<void> => {
    const body = await text(request);
    const answer = answers[Math.min(seen.length, answers.length - 1)] ?? {};
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    if (answer === "break") {
      request.socket.destroy();
      return;
    }
    const { status = 200, headers = {}, body: value = {}, raw } = answer;
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(raw ?? JSON.stringify(value));
  };
  const listener: RequestListener = (request, response) => {
    void answerOne(request, response);
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    seen,
    answer(...next) {
      answers = next;
      seen.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
