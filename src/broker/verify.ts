import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { KmsError } from "#core/errors.ts";
import type { Signable } from "#core/provider.ts";
import type { KeyRecord } from "#core/records.ts";
import type { State } from "#core/states.ts";
import { ecdsaToDer } from "#envelope/ecdsa-encoding.ts";
import { verifySignature } from "#envelope/verify-signature.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import { callNative, nativeBindingOf, nativeTarget, type NativeUse } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { processVersions } from "./process-versions.ts";
import { kidOf } from "./public-key-objects.ts";
import { requireEncoding, type SignatureEncoding } from "./sign.ts";
import { fitSignable, type SignableInput, toSignable } from "./signable.ts";

export type VerifyPlace = "gateway" | "provider";

export type VerifyItem = SignableInput & {
  readonly signature: Buffer;
  /** The public key that it should be of; undefined: any version's. */
  readonly kid?: string | undefined;
  readonly encoding?: SignatureEncoding | undefined;
  readonly verifyIn?: VerifyPlace | undefined;
};

export type Verified = {
  readonly valid: boolean;
  /** The state of the version that it fits, or of the key where it fits none. */
  readonly keyState: State;
  readonly keyVersion: number;
  readonly provider?: string;
};

/**
 * Whether a signature is one of the key: of the version that is named by `@N` or `kid`, or of any that may verify. Runs on the retained public
 * key, or in the provider. What does not verify, also by its form, is `valid: false`.
 *
 * @throws {KmsError} as the gate refuses; `INVALID_ARGUMENT`, `UNSUPPORTED_COMBINATION`
 */
export const { single: verify, batch: verifyBatch } = contextless("verify", verifyWith);

async function verifyWith(parts: BrokerParts, caller: Caller, usable: Usable, item: VerifyItem): Promise<Verified> {
  const { key } = usable;
  const versions = processVersions(parts, usable, "verify");
  requireEncoding(key.algorithm, item.encoding);
  const signable = toSignable(item, key.algorithm);
  const named =
    item.kid === undefined ? versions : versions.filter((version) => kidAt(parts, key, version) === item.kid);
  const place = item.verifyIn === "provider" || !canVerifyHere(signable, key) ? "provider" : "gateway";
  for (const version of named) {
    const check = { version, signable, item };
    const outcome =
      place === "gateway" ? verifyHere(parts, key, check) : await verifyThere(parts, caller, usable, check);
    if (outcome.valid) return { ...outcome, keyState: stateOf(parts, key, version), keyVersion: version };
  }
  const keyVersion = named[0] ?? versions[0] ?? key.latestVersion;
  return { valid: false, keyState: stateOf(parts, key, undefined), keyVersion };
}

type Check = { readonly version: number; readonly signable: Signable; readonly item: VerifyItem };
type Outcome = { readonly valid: boolean; readonly provider?: string };

/** node:crypto hashes what it checks with RSA-PSS by itself: a digest alone is checked in the provider. */
function canVerifyHere({ kind }: Signable, { algorithm }: KeyRecord): boolean {
  return kind === "message" || !algorithm.includes("-PSS-");
}

function verifyHere(parts: BrokerParts, key: KeyRecord, { version, signable, item }: Check): Outcome {
  const publicKey = parts.publicKeys.of(nativeBindingOf(parts, key, version));
  const { signature, encoding = "der" } = item;
  return { valid: verifySignature({ algorithm: key.algorithm, publicKey, signable, signature, encoding }) === true };
}

async function verifyThere(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  { version, signable, item }: Check,
): Promise<Outcome> {
  const use: NativeUse = { key, version, operation: "verify", trace };
  const target = nativeTarget(parts, use);
  const fitting = fitSignable(signable, target.row);
  const { algorithm } = key;
  const signature = item.encoding === "raw" ? ecdsaToDer(item.signature, algorithm) : item.signature;
  if (signature === undefined) return { valid: false, provider: target.holder.name };
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: () => new KmsError("INTERNAL", "the provider refused to judge a signature") },
    (opened, ref, call) =>
      abilityOf(opened.signer, "verify").verify({ ref, algorithm, signable: fitting, signature }, call),
  );
  return { valid: value, provider };
}

function kidAt(parts: BrokerParts, key: KeyRecord, version: number): string {
  return kidOf(nativeBindingOf(parts, key, version));
}

function stateOf(parts: BrokerParts, key: KeyRecord, version: number | undefined): State {
  const now = parts.sources.clock.now();
  const ofKey = effectiveLifecycle(key, now).state;
  if (ofKey !== "active" || version === undefined) return ofKey;
  const record = parts.catalog.version(key.id, version);
  return record === undefined ? ofKey : effectiveLifecycle(record, now).state;
}
