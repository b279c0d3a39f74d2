import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { CallLog, OpenCall } from "./calls.ts";
import { AwsFailure, malformed } from "./failure.ts";
import type { Fault, FaultQueue } from "./faults.ts";
import { Input, isRecord } from "./input.ts";
import { OPERATIONS } from "./operations/index.ts";
import { failureReply, faultReply, jsonReply, type Reply } from "./replies.ts";
import { type Credentials, verifySignature } from "./sigv4.ts";
import { applyDates, type KmsState } from "./state.ts";

/** What an exchange works with. `signingNow` is the clock of signatures and of the header `Date`. */
export type ExchangeParts = {
  readonly kms: () => KmsState;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  readonly credentials: () => readonly Credentials[] | undefined;
  readonly signingNow: () => number;
};

/** Answers one request, or does with it what the next fault says. `reused`: not the first one of its connection. */
export const answer = async (
  parts: ExchangeParts,
  request: IncomingMessage,
  { response, reused }: { readonly response: ServerResponse; readonly reused: boolean },
): Promise<void> => {
  const body = await readBody(request);
  const operation = operationOf(request);
  const call = openCall(parts, { operation, body });
  const fault = parts.faults.take({ at: "request", operation, reused });
  const broken = fault === undefined ? undefined : BROKEN[fault.kind];
  if (fault !== undefined) call.outcome = fault.kind;
  if (broken === "silence") return;
  if (broken === "reset") return void request.socket.destroy();
  const ready = fault === undefined ? undefined : faultReply(fault);
  const reply = ready ?? (await perform(parts, { request, body, call }));
  await deliver(response, { reply, fault, requestId: call.requestId, dateMs: parts.signingNow() });
};

/** Faults under which the operation is not even performed. */
const BROKEN: { readonly [kind in Fault["kind"]]?: "silence" | "reset" } = {
  hang: "silence",
  refuse: "reset",
  "reset-on-reuse": "reset",
};

const openCall = (
  parts: ExchangeParts,
  { operation, body }: { readonly operation: string; readonly body: Buffer },
): OpenCall => {
  const input = parseBody(body) ?? {};
  const named = input["KeyId"] ?? input["TargetKeyId"] ?? input["SourceKeyId"];
  return parts.calls.open({
    operation,
    keyId: typeof named === "string" ? named : undefined,
    input,
    timeMs: parts.kms().now(),
    requestId: randomUUID(),
    accessKeyId: undefined,
  });
};

type Asked = { readonly request: IncomingMessage; readonly body: Buffer; readonly call: OpenCall };

const perform = async (parts: ExchangeParts, { request, body, call }: Asked): Promise<Reply> => {
  const faulted = call.outcome !== "open";
  try {
    const { method = "", url = "", rawHeaders } = request;
    const verifier = { credentials: parts.credentials(), region: parts.kms().region, nowMs: parts.signingNow() };
    call.accessKeyId = verifySignature({ method, path: url, rawHeaders, body }, verifier);
    const result = await run(parts.kms(), call.operation, body);
    if (!faulted) call.outcome = "ok";
    return jsonReply(result);
  } catch (error) {
    const failure = error instanceof AwsFailure ? error : new AwsFailure("KMSInternalException", String(error), 500);
    if (!faulted) call.outcome = failure.type;
    return failureReply(failure);
  }
};

const run = async (kms: KmsState, name: string, body: Buffer): Promise<Readonly<Record<string, unknown>>> => {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined) throw new AwsFailure("UnknownOperationException");
  const input = parseBody(body);
  if (input === undefined) throw malformed("");
  applyDates(kms);
  return await operation(kms, new Input(input));
};

type Delivery = {
  readonly reply: Reply;
  readonly fault: Fault | undefined;
  readonly requestId: string;
  readonly dateMs: number;
};

const deliver = async (response: ServerResponse, { reply, fault, requestId, dateMs }: Delivery): Promise<void> => {
  if (fault?.kind === "slow") await delay(fault.ms, undefined, { ref: false });
  if (fault?.kind === "lost-answer") return void response.socket?.destroy();
  const body = Buffer.from(fault?.kind === "wrong-plaintext" ? spoilPlaintext(reply.body) : reply.body);
  response.writeHead(reply.status, {
    "Content-Type": reply.type,
    "Content-Length": body.length,
    "Cache-Control": "no-cache, no-store, must-revalidate, private",
    Date: new Date(dateMs).toUTCString(),
    "x-amzn-RequestId": requestId,
  });
  if (fault?.kind !== "reset-mid-body") return void response.end(body);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
};

/** Inverts the answer's plaintext: other bytes of the same length. */
const spoilPlaintext = (body: string): string => {
  const answered = parseBody(Buffer.from(body)) ?? {};
  const plaintext = answered["Plaintext"];
  if (typeof plaintext !== "string") return body;
  const spoilt = Buffer.from(plaintext, "base64").map((byte) => byte ^ 0xff);
  return JSON.stringify({ ...answered, Plaintext: Buffer.from(spoilt).toString("base64") });
};

const operationOf = (request: IncomingMessage): string => {
  const target = request.headers["x-amz-target"];
  const prefix = "TrentService.";
  const named = typeof target === "string" && target.startsWith(prefix) ? target.slice(prefix.length) : "";
  return request.method === "POST" && request.url === "/" ? named : "";
};

const parseBody = (body: Buffer): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};
