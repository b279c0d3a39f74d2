import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import type { CallLog, OpenCall } from "./calls.ts";
import { GrpcFailure, unauthenticated } from "./failure.ts";
import type { Fault, FaultQueue } from "./faults.ts";
import { isMethod, METHODS, type MethodName, type Operation, resourceOf, SERVICE } from "./methods.ts";
import { OPERATIONS } from "./operations/index.ts";
import { faultReply, type Reply } from "./replies.ts";
import { requireRoute } from "./routing.ts";
import { spoil } from "./spoil.ts";
import { applyDates, type KmsState } from "./state.ts";
import { readMessage, respond, unframe } from "./wire.ts";

/** What an exchange works with. */
export type ExchangeParts = {
  readonly kms: () => KmsState;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  /** Which bearer tokens may call: these, any one, or none is asked for. */
  readonly tokens: () => readonly string[] | "any" | "unasked";
};

/** Answers one call, or does with it what the next fault says. */
export const answer = async (
  parts: ExchangeParts,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> => {
  const asked = parseCall(headers, await readMessage(stream));
  const call = openCall(parts, asked);
  const fault = parts.faults.take({ at: "request", operation: asked.operation });
  if (fault !== undefined) call.outcome = fault.kind;
  if (fault?.kind === "hang") return;
  if (fault?.kind === "refuse") return cut(stream);
  const resource = asked.resource ?? "";
  const ready = fault === undefined ? undefined : faultReply(fault, { operation: asked.operation, resource });
  const reply = ready ?? (await perform(parts, asked, { call, fault }));
  if (fault?.kind === "slow") await delay(fault.ms, undefined, { ref: false });
  if (fault?.kind === "lost-answer") return cut(stream);
  respond(stream, reply, { cutHalfway: fault?.kind === "reset" });
};

/** Ends the connection, and every call on it. */
const cut = (stream: ServerHttp2Stream): void => {
  stream.session?.destroy();
};

type Asked = {
  readonly operation: string;
  readonly message: object | undefined;
  readonly resource: string | undefined;
  readonly token: string | undefined;
  readonly route: string | undefined;
};

const parseCall = (headers: IncomingHttpHeaders, body: Buffer): Asked => {
  const [, service, operation = ""] = (headers[":path"] ?? "").split("/");
  const message = service === SERVICE && isMethod(operation) ? decode(operation, body) : undefined;
  const route = headers["x-goog-request-params"];
  return {
    operation,
    message,
    resource: message === undefined ? undefined : resourceOf(message),
    token: /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1],
    route: typeof route === "string" ? route : undefined,
  };
};

const decode = (operation: MethodName, body: Buffer): object | undefined => {
  try {
    return METHODS[operation].request.decode(unframe(body));
  } catch {
    return undefined;
  }
};

const openCall = (parts: ExchangeParts, { operation, message, resource, token }: Asked): OpenCall =>
  parts.calls.open({
    operation,
    name: resource,
    input: { ...message },
    timeMs: parts.kms().now(),
    token,
  });

type Under = { readonly call: OpenCall; readonly fault: Fault | undefined };

const perform = async (parts: ExchangeParts, asked: Asked, { call, fault }: Under): Promise<Reply> => {
  try {
    authenticate(parts.tokens(), asked.token);
    const bytes = await run(parts.kms(), asked, fault);
    if (fault === undefined) call.outcome = "ok";
    return { kind: "message", bytes };
  } catch (error) {
    const failure = error instanceof GrpcFailure ? error : new GrpcFailure("INTERNAL", String(error));
    if (fault === undefined) call.outcome = failure.code;
    return { kind: "failure", failure };
  }
};

const authenticate = (accepted: readonly string[] | "any" | "unasked", token: string | undefined): void => {
  if (accepted === "unasked") return;
  if (token === undefined) throw unauthenticated("CREDENTIALS_MISSING");
  if (accepted !== "any" && !accepted.includes(token)) throw unauthenticated("ACCESS_TOKEN_EXPIRED");
};

const run = async (kms: KmsState, asked: Asked, fault: Fault | undefined): Promise<Uint8Array> => {
  const { operation, message } = asked;
  if (!isMethod(operation)) throw new GrpcFailure("UNIMPLEMENTED", `The fake does not have ${operation}.`);
  if (message === undefined) throw new GrpcFailure("INTERNAL", "The request is not the method's message.");
  requireRoute(asked.resource, asked.route);
  applyDates(kms);
  // The table pairs each operation with its own messages, which an indexed access cannot show.
  const operate = OPERATIONS[operation] as unknown as Operation<"GetKeyRing">;
  const result = await operate(kms, message as Parameters<typeof operate>[1]);
  const { response } = METHODS[operation] as (typeof METHODS)["GetKeyRing"];
  const spoilt = fault === undefined ? result : spoil({ ...result }, fault.kind);
  return response.encode(response.fromObject({ ...spoilt })).finish();
};
