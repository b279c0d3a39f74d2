import type { ServerHttp2Stream } from "node:http2";
import { CODES, GrpcFailure } from "./failure.ts";
import type { Reply } from "./replies.ts";
import { encodeStatus } from "./rpc-details.ts";

/*
 * gRPC over HTTP/2, as far as unary calls go: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md. A message is a byte that says
 * whether it is compressed, its length in four, and itself.
 */

/** Reads the one message of a request. */
export const readMessage = async (stream: ServerHttp2Stream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Takes a message out of its frame. */
export const unframe = (body: Buffer): Buffer => {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new GrpcFailure("UNIMPLEMENTED", "one uncompressed message is wanted");
  }
  return body.subarray(5);
};

const frame = (message: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

/** Answers a call. `cutHalfway` sends half of the message, then cuts the connection. */
export const respond = (stream: ServerHttp2Stream, reply: Reply, { cutHalfway }: { cutHalfway: boolean }): void => {
  if (stream.destroyed) return;
  if (reply.kind === "html") {
    stream.respond({ ":status": reply.status, "content-type": "text/html" });
    stream.end("<!DOCTYPE html><html><body><h1>Gateway</h1></body></html>");
    return;
  }
  if (reply.kind === "failure") {
    stream.respond({ ...GRPC, ...trailersOf(reply.failure) }, { endStream: true });
    return;
  }
  const body = frame(reply.bytes);
  stream.respond(GRPC, { waitForTrailers: true });
  if (cutHalfway) {
    stream.write(body.subarray(0, Math.floor(body.length / 2)), () => stream.session?.destroy());
    return;
  }
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(body);
};

const GRPC = { ":status": 200, "content-type": "application/grpc" } as const;

const trailersOf = ({ code, message, details }: GrpcFailure): Record<string, string> => ({
  "grpc-status": String(CODES[code]),
  "grpc-message": encodeURI(message),
  ...(details.length === 0
    ? {}
    : { "grpc-status-details-bin": Buffer.from(encodeStatus(CODES[code], message, details)).toString("base64") }),
});
