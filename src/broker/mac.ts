import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { KmsError } from "#core/errors.ts";
import type { State } from "#core/states.ts";
import { portableMac, verifyPortableMac } from "#envelope/mac.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { materialOf } from "./portable-material.ts";
import { callNative, nativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { processVersions } from "./process-versions.ts";
import { protectVersion } from "./protect-version.ts";
import { MAX_MESSAGE_BYTES } from "./signable.ts";

export type MacItem = { readonly message: Buffer };
export type Mac = { readonly mac: Buffer; readonly keyVersion: number; readonly provider?: string };
export type VerifyMacItem = MacItem & { readonly mac: Buffer };
export type VerifiedMac = {
  readonly valid: boolean;
  readonly keyState: State;
  readonly keyVersion: number;
  readonly provider?: string;
};

/** The MAC of a message under the primary version: in the gateway for portable keys, else in the provider. Never truncated. */
export const { single: mac, batch: macBatch } = contextless("mac", macWith);

/** Whether a MAC is one of the key: of the version named by `@N`, or of any that may verify, newest first. Another one is `valid: false`. */
export const { single: verifyMac, batch: verifyMacBatch } = contextless("verify-mac", verifyWith);

async function macWith(parts: BrokerParts, caller: Caller, usable: Usable, { message }: MacItem): Promise<Mac> {
  const { key, trace } = usable;
  const version = protectVersion(parts, usable, "mac");
  requireLength(message, MAX_MESSAGE_BYTES);
  if (key.custody.kind === "portable") {
    const material = await materialOf(parts, caller, usable, version);
    return { mac: portableMac({ ...material, algorithm: key.algorithm, message }), keyVersion: version };
  }
  const use: NativeUse = { key, version, operation: "mac", trace };
  const target = nativeTarget(parts, use);
  requireLength(message, target.row.maxInputBytes);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    (opened, ref, call) => abilityOf(opened.mac, "mac").mac({ ref, algorithm, message }, call),
  );
  return { mac: value, keyVersion: version, provider };
}

async function verifyWith(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  item: VerifyMacItem,
): Promise<VerifiedMac> {
  const { key } = usable;
  const versions = processVersions(parts, usable, "verify-mac");
  requireLength(item.message, MAX_MESSAGE_BYTES);
  const keyState = effectiveLifecycle(key, parts.sources.clock.now()).state;
  let provider: { readonly provider?: string } = {};
  for (const version of versions) {
    const outcome =
      key.custody.kind === "portable"
        ? await verifyHere(parts, caller, usable, { version, item })
        : await verifyThere(parts, caller, usable, { version, item });
    if (outcome.valid) return { ...outcome, keyState, keyVersion: version };
    provider = outcome.provider === undefined ? {} : { provider: outcome.provider };
  }
  return { valid: false, keyState, keyVersion: versions[0] ?? key.latestVersion, ...provider };
}

type Check = { readonly version: number; readonly item: VerifyMacItem };
type Outcome = { readonly valid: boolean; readonly provider?: string };

async function verifyHere(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  { version, item }: Check,
): Promise<Outcome> {
  const material = await materialOf(parts, caller, usable, version);
  return { valid: verifyPortableMac({ ...material, algorithm: usable.key.algorithm, ...item }) };
}

async function verifyThere(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  { version, item }: Check,
): Promise<Outcome> {
  const use: NativeUse = { key, version, operation: "verify-mac", trace };
  const target = nativeTarget(parts, use);
  requireLength(item.message, target.row.maxInputBytes);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    (opened, ref, call) => abilityOf(opened.mac, "verify-mac").verifyMac({ ref, algorithm, ...item }, call),
  );
  return { valid: value, provider };
}

function requireLength({ length }: Buffer, max: number): void {
  if (length <= max) return;
  throw new KmsError("INVALID_ARGUMENT", `message: wanted at most ${max} bytes, got ${length}`, {
    metadata: { maxMessageBytes: String(max) },
    errors: [{ pointer: "/message", code: "length", detail: `wanted at most ${max} bytes` }],
  });
}
