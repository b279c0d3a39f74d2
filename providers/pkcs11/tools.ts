import { randomBytes } from "node:crypto";
import type { Random } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, Capabilities } from "#core/provider.ts";
import { doesNotOpen, isAmbiguous, Pkcs11Error } from "./errors.ts";
import { idOfMarker } from "./label.ts";
import { specOf } from "./specs.ts";
import { untilAborted } from "./until-aborted.ts";
import type { CommandName, Commands, TokenFacts } from "./wire.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { newKey } from "./new-key.ts";

/** What every ability works with. */
export type Tools = {
  readonly pool: Pick<WorkerPool, "call">;
  readonly facts: TokenFacts;
  readonly capabilities: Capabilities;
  readonly random: Random;
  /** Epoch milliseconds. */
  readonly now: () => number;
};

export const CANARY_MARKER = "claviger-canary";
const REF = /^[0-9a-f]{2,128}$/u;

/** One command of the module's process. */
export async function ask<K extends CommandName>(
  { pool }: Tools,
  { signal }: CallContext,
  name: K,
  input: Commands[K]["in"],
): Promise<Commands[K]["out"]> {
  requireRef(input);
  return await untilAborted(async () => await pool.call(name, input), signal);
}

/** A reference that is no CKA_ID names nothing. */
function requireRef(input: object): void {
  if ("id" in input && (typeof input.id !== "string" || !REF.test(input.id) || input.id.length % 2 !== 0))
    throw new Pkcs11Error({ trouble: "no-such-key", text: "the token has no such key" });
}

/**
 * A command that opens bytes. A token may call bytes that do not open a general error, as it calls its own end: the canary key tells which.
 *
 * @throws {ProviderError} INVALID for bytes that do not open, whatever is wrong with them
 */
export async function askToOpen<K extends "decrypt" | "unwrap">(
  tools: Tools,
  call: CallContext,
  name: K,
  input: Commands[K]["in"],
): Promise<Buffer> {
  try {
    return ownBytes(await ask(tools, call, name, input));
  } catch (error) {
    if (isVerdict(error)) throw doesNotOpen();
    if (!isAmbiguous(error)) throw error;
    await requireCanary(tools, call, error);
    throw doesNotOpen();
  }
}

function isVerdict(error: unknown): boolean {
  return error instanceof Pkcs11Error && error.code !== undefined && VERDICTS.has(error.code);
}

/** Of C_Decrypt and C_UnwrapKey alone: data, lengths and wrapped keys that are none. */
const VERDICTS: ReadonlySet<number> = new Set([0x20, 0x21, 0x40, 0x41, 0x42, 0x110, 0x112]);

/** Rejects with `otherwise` unless the canary key opens what it makes. */
async function requireCanary(tools: Tools, call: CallContext, otherwise: unknown): Promise<void> {
  const { capabilities } = tools;
  const algorithm = capabilities.recipientAlgorithm;
  const id = idOfMarker(CANARY_MARKER);
  const spec = specOf(algorithm, tools.facts.kwp);
  if (spec === undefined) throw otherwise;
  try {
    await ask(tools, call, "create", newKey({ algorithm, marker: CANARY_MARKER, spec, now: tools.now() }));
    const payload = randomBytes(32);
    const wrapped = await protectUnder(tools, call, { id, payload, aad: Buffer.alloc(0) });
    const opened = await processUnder(tools, call, { id, wrapped, aad: Buffer.alloc(0) });
    if (!opened.equals(payload)) throw otherwise;
  } catch (error) {
    if (error instanceof ProviderError && error.fault.failure === "CANCELLED") throw error;
    throw otherwise;
  }
}

type Protect = { readonly id: string; readonly payload: Uint8Array; readonly aad: Uint8Array };
type Process = { readonly id: string; readonly wrapped: Uint8Array; readonly aad: Uint8Array };

/** With AES-KW, or iv || AES-GCM where the token has no KW. */
export async function protectUnder(tools: Tools, call: CallContext, { id, payload, aad }: Protect): Promise<Buffer> {
  const { random, capabilities } = tools;
  const algorithm = capabilities.recipientAlgorithm;
  if (algorithm === "AES-KW")
    return ownBytes(await ask(tools, call, "wrap", { id, algorithm, mechanism: { type: AES_KW }, data: payload }));
  const iv = random.kernelBytes(IV_BYTES);
  const mechanism = { type: AES_GCM, gcm: { iv, aad } };
  return Buffer.concat([iv, await ask(tools, call, "encrypt", { id, algorithm, mechanism, data: payload })]);
}

/** What {@link protectUnder} made; errors as the module gives them. */
async function processUnder(tools: Tools, call: CallContext, { id, wrapped, aad }: Process): Promise<Buffer> {
  const [name, input] = opening(tools, { id, wrapped, aad });
  return ownBytes(await ask(tools, call, name, input));
}

/** The command that opens what {@link protectUnder} made. */
export function opening(
  { capabilities }: Tools,
  { id, wrapped, aad }: Process,
): readonly ["unwrap" | "decrypt", Commands["decrypt"]["in"]] {
  const algorithm = capabilities.recipientAlgorithm;
  if (algorithm === "AES-KW") return ["unwrap", { id, algorithm, mechanism: { type: AES_KW }, data: wrapped }];
  const gcm = { iv: wrapped.subarray(0, IV_BYTES), aad };
  return ["decrypt", { id, algorithm, mechanism: { type: AES_GCM, gcm }, data: wrapped.subarray(IV_BYTES) }];
}

const AES_KW = 0x2109;
const AES_GCM = 0x1087;
const IV_BYTES = 12;

/** An unpooled buffer of the caller's own. */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.alloc(bytes.length);
  own.set(bytes);
  return own;
}
