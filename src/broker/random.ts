import { KmsError } from "#core/errors.ts";
import { audited } from "./audited.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";
import { isHolder } from "./write-wrap.ts";

export type RandomAnswer = { readonly bytes: Buffer; readonly provider: string; readonly attempts: number };

/**
 * Random bytes from the gateway's generator, or from the provider that the caller names. `length` is 1..1024.
 * @throws {KmsError} `PERMISSION_DENIED` for auditors; `INVALID_ARGUMENT` for an unknown provider; `UNSUPPORTED_COMBINATION`, `NO_PROVIDER`
 */
export async function randomBytes(
  parts: BrokerParts,
  caller: Caller,
  { length, provider }: { readonly length: number; readonly provider: string | undefined },
): Promise<RandomAnswer> {
  if (caller.principal.client.role === "auditor") throw new KmsError("PERMISSION_DENIED", "an auditor may not use keys or random bytes");
  const detail = { bytes: String(length), ...(provider === undefined ? {} : { provider }) };
  return await audited(parts, caller, { operation: "random", detail }, async (record) => {
    if (provider === undefined) return { bytes: parts.sources.random.bytes(length), provider: "gateway", attempts: 0 };
    const bytes = await fromProvider(parts, caller, { length, provider, trace: record });
    return { bytes, provider, attempts: record.attempts.length };
  });
}

type FromProvider = { readonly length: number; readonly provider: string; readonly trace: { readonly attempts: { push(item: never): void } } };

async function fromProvider(parts: BrokerParts, caller: Caller, { length, provider, trace }: FromProvider): Promise<Buffer> {
  void trace;
  const member = parts.fleet.member(provider);
  if (member === undefined) throw new KmsError("INVALID_ARGUMENT", "provider: no such provider is configured", { metadata: { provider } });
  const source = member.provider?.random;
  if (!isHolder(member) || source === undefined) {
    throw new KmsError("UNSUPPORTED_COMBINATION", `${provider} has no random bytes to give`, { metadata: { provider } });
  }
  const answer = await parts.pool.call(provider, "data", "random", async (call) => await source.randomBytes(length, call), {
    deadline: caller.deadline,
    requestId: caller.requestId,
  });
  return answer.value;
}
