import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { CallLog, OpenCall } from "./calls.ts";
import { AzureFailure, badParameter, forbidden } from "./failure.ts";
import type { Fault, FaultQueue } from "./faults.ts";
import { type Body, isRecord } from "./input.ts";
import { LISTS } from "./listing.ts";
import { MANAGEMENT } from "./manage.ts";
import type { Operation, Result } from "./operation.ts";
import { REMOVAL } from "./removal.ts";
import { challengeReply, failureReply, faultReply, type Reply, resultReply } from "./replies.ts";
import { ROTATION } from "./rotation.ts";
import { route, type Routed } from "./routing.ts";
import { applyDates, type VaultState } from "./state.ts";
import { USES } from "./use.ts";

export type ExchangeParts = {
  readonly vault: () => VaultState;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  /** The one token that passes. */
  readonly token: () => string;
  /** What the caller may not do, and the inner code that tells it so. */
  readonly forbidden: ReadonlyMap<string, string>;
};

const OPERATIONS: Readonly<Record<string, Operation>> = { ...MANAGEMENT, ...LISTS, ...REMOVAL, ...ROTATION, ...USES };
const API_VERSIONS: readonly string[] = ["7.6", "2025-07-01"];

/** Answers one request, or does with it what the next fault says. Faults leave requests without a token alone. */
export const answer = async (
  parts: ExchangeParts,
  request: IncomingMessage,
  { response, reused }: { readonly response: ServerResponse; readonly reused: boolean },
): Promise<void> => {
  const asked = await readRequest(request);
  const anonymous = request.headers.authorization === undefined;
  const call = openCall(parts, asked, anonymous);
  const fault = anonymous ? undefined : parts.faults.take({ at: "request", operation: call.operation, reused });
  if (fault !== undefined) call.outcome = fault.kind;
  if (fault?.kind === "hang") return;
  if (fault?.kind === "refuse" || fault?.kind === "reset-on-reuse") return void request.socket.destroy();
  const ready = fault === undefined ? undefined : faultReply(fault, resourceOf(parts.vault()));
  const reply = ready ?? (await perform(parts, asked, call));
  await deliver(response, { reply, fault, call });
};

type AskedRequest = {
  readonly routed: Routed | undefined;
  readonly query: URLSearchParams;
  readonly body: Body | undefined;
  readonly authorization: string | undefined;
};

const readRequest = async (request: IncomingMessage): Promise<AskedRequest> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://vault");
  const routed = route(request.method ?? "", pathname);
  const body = parseBody(Buffer.concat(chunks));
  return { routed, query: searchParams, body, authorization: request.headers.authorization };
};

const openCall = (parts: ExchangeParts, { routed, body }: AskedRequest, anonymous: boolean): OpenCall =>
  parts.calls.open({
    operation: anonymous ? "Challenge" : (routed?.operation ?? "Unknown"),
    keyName: routed?.name,
    keyVersion: routed?.version,
    input: body ?? {},
    timeMs: parts.vault().now(),
    requestId: randomUUID(),
  });

const resourceOf = ({ kind }: VaultState): string =>
  kind === "vault" ? "https://vault.azure.net" : "https://managedhsm.azure.net";

const perform = async (parts: ExchangeParts, asked: AskedRequest, call: OpenCall): Promise<Reply> => {
  const faulted = call.outcome !== "open";
  const finish = (outcome: string, reply: Reply): Reply => {
    if (!faulted) call.outcome = outcome;
    return reply;
  };
  const resource = resourceOf(parts.vault());
  if (asked.authorization === undefined) return finish("Unauthorized", challengeReply(resource));
  if (asked.authorization !== `Bearer ${parts.token()}`) {
    return finish("Unauthorized", challengeReply(resource, "AKV10032: Invalid issuer or token."));
  }
  try {
    return finish("ok", resultReply(await run(parts, asked)));
  } catch (error) {
    const failure =
      error instanceof AzureFailure
        ? error
        : new AzureFailure(500, { code: "InternalServerError", message: String(error) });
    return finish(failure.inner ?? failure.code, failureReply(failure));
  }
};

const run = async (parts: ExchangeParts, { routed, query, body }: AskedRequest): Promise<Result> => {
  const version = query.get("api-version");
  if (version === null || !API_VERSIONS.includes(version)) {
    throw badParameter(`The specified version (${version ?? ""}) is not recognized.`);
  }
  const operation = routed === undefined ? undefined : OPERATIONS[routed.operation];
  if (routed === undefined || operation === undefined) {
    throw new AzureFailure(404, { code: "NotFound", message: "The resource was not found." });
  }
  if (body === undefined) throw badParameter("The request body is not JSON.");
  const inner = parts.forbidden.get(routed.operation);
  if (inner !== undefined) throw forbidden(inner, "Caller is not authorized to perform action on resource.");
  applyDates(parts.vault());
  return await operation(parts.vault(), { name: routed.name, version: routed.version, query, body });
};

type Delivery = { readonly reply: Reply; readonly fault: Fault | undefined; readonly call: OpenCall };

const deliver = async (response: ServerResponse, { reply, fault, call }: Delivery): Promise<void> => {
  if (fault?.kind === "slow") await delay(fault.ms, undefined, { ref: false });
  if (fault?.kind === "lost-answer") return void response.socket?.destroy();
  const body = Buffer.from(fault?.kind === "wrong-plaintext" ? spoilValue(reply.body) : reply.body);
  response.writeHead(reply.status, {
    ...(reply.status === 204 ? {} : { "Content-Type": reply.type, "Content-Length": body.length }),
    "Cache-Control": "no-cache",
    "x-ms-request-id": call.requestId,
    "x-ms-keyvault-service-version": "1.9.2000.1",
    ...reply.headers,
  });
  if (fault?.kind !== "reset-mid-body") return void response.end(body);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
};

/** Inverts the answer's value: other bytes of the same length. */
const spoilValue = (body: string): string => {
  const answered = parseBody(Buffer.from(body)) ?? {};
  const value = answered["value"];
  if (typeof value !== "string") return body;
  const spoilt = Buffer.from(Buffer.from(value, "base64url").map((byte) => byte ^ 0xff));
  return JSON.stringify({ ...answered, value: spoilt.toString("base64url") });
};

const parseBody = (body: Buffer): Body | undefined => {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
