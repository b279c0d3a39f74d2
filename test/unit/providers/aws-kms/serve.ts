import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

export type Reply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

type Script = (operation: string, input: Record<string, unknown>) => Reply | Promise<Reply>;

/** A server that says what it is told, whatever AWS KMS would say. Ends with the test. Gives its endpoint. */
export async function serve(
  reply: Script,
  { onConnection }: { onConnection?: (socket: Socket) => void } = {},
): Promise<string> {
  const server = createServer((request, response) => {
    void answer(request, response, reply);
  });
  if (onConnection !== undefined) server.on("connection", onConnection);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(request: IncomingMessage, response: ServerResponse, reply: Script): Promise<void> {
  const operation = String(request.headers["x-amz-target"]).replace("TrentService.", "");
  const { status = 200, headers = {}, body = "" } = await reply(operation, await readJson(request));
  response.writeHead(status, headers).end(body);
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks = (await request.toArray()) as Buffer[];
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}
