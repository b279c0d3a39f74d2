import { KmsError } from "#core/errors.ts";
import type { Caller } from "./caller.ts";
import { outcomeOf } from "./operate.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";
import { toKmsError } from "#resilience/failover.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { isHolder } from "./write-wrap.ts";

export type RandomRequest = { readonly length: number; readonly provider: string | undefined };
export type RandomAnswer = { readonly bytes: Buffer; readonly provider: string; readonly attempts: number };

/**
 * Random bytes from the gateway's generator, or from the provider that the caller names. `length` is 1..1024.
 * @throws {KmsError} `PERMISSION_DENIED` for auditors; `INVALID_ARGUMENT` for an unknown provider; `UNSUPPORTED_COMBINATION`, `NO_PROVIDER`
 */
export async function randomBytes(parts: BrokerParts, caller: Caller, request: RandomRequest): Promise<RandomAnswer> {
  const startMs = parts.sources.clock.monotonicMs();
  const trace: Trace = { attempts: [] };
  const write = async (outcome: string): Promise<void> => {
    await parts.audit.append({
      time: parts.sources.clock.now(),
      requestId: caller.requestId,
      client: caller.principal.client.id,
      credential: caller.principal.credentialId,
      namespace: caller.namespace,
      door: caller.door,
      operation: "random",
      key: null,
      keyVersion: null,
      provider: outcome === "ok" ? (request.provider ?? "gateway") : null,
      attempts: trace.attempts,
      outcome,
      latencyMs: parts.sources.clock.monotonicMs() - startMs,
    });
  };
  try {
    const bytes = await draw(parts, caller, request, trace);
    await write("ok");
    return { bytes, provider: request.provider ?? "gateway", attempts: trace.attempts.length };
  } catch (error) {
    await write(outcomeOf(error));
    throw error;
  }
}

async function draw(
  parts: BrokerParts,
  caller: Caller,
  { length, provider }: RandomRequest,
  trace: Trace,
): Promise<Buffer> {
  if (caller.principal.client.role === "auditor")
    throw new KmsError("PERMISSION_DENIED", "an auditor may not use keys or random bytes");
  if (provider === undefined) return parts.sources.random.bytes(length);
  const member = parts.fleet.member(provider);
  if (member === undefined)
    throw new KmsError("INVALID_ARGUMENT", "provider: no such provider is configured", { metadata: { provider } });
  const source = member.provider?.random;
  if (!isHolder(member) || source === undefined) {
    throw new KmsError("UNSUPPORTED_COMBINATION", `${provider} has no random bytes to give`, {
      metadata: { provider },
    });
  }
  const { deadline, requestId } = caller;
  const options = {
    deadline,
    requestId,
    last: true,
    onAttempt: (attempt: Trace["attempts"][number]) => trace.attempts.push(attempt),
  };
  try {
    return (
      await parts.pool.call(provider, "data", "random", async (call) => await source.randomBytes(length, call), options)
    ).value;
  } catch (error) {
    throw toKmsError([faultOf(error)], error);
  }
}
