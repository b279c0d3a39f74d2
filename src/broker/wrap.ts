import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import { uuidOfId, uuidOfKey } from "#core/ids.ts";
import type { KeyRecord } from "#core/records.ts";
import { parseFrame } from "#envelope/header.ts";
import { readNativeFrame, writeNativeFrame } from "#envelope/native-frame.ts";
import { unwrapMaterial, wrapMaterial, wrappedBody, wrappedFrame } from "#envelope/wrapped-material.ts";
import type { Caller } from "./caller.ts";
import { abilityOf } from "./ability.ts";
import type { CiphertextFormat } from "./format.ts";
import { callNative, nativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { contextless, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { materialOf } from "./portable-material.ts";
import { processVersions } from "./process-versions.ts";
import { protectVersion } from "./protect-version.ts";

export type WrapItem = { readonly material: Buffer; readonly format?: CiphertextFormat };
export type Wrapped = {
  /** A frame of suite 81 or, where a provider holds the key, 80; with `format: native` the bare bytes of RFC 3394 or RFC 5649. */
  readonly wrapped: Buffer;
  readonly bare: boolean;
  readonly keyVersion: number;
  readonly provider?: string;
};

export type UnwrapItem = {
  /** Undefined for a text that is no frame at all, which fails as every other bad one does. */
  readonly wrapped: Buffer | undefined;
  readonly format?: CiphertextFormat;
};
export type Unwrapped = { readonly material: Buffer; readonly keyVersion: number; readonly provider?: string };

/** The most material that is wrapped at once, in bytes. */
const MAX_MATERIAL_BYTES = 65_536;

/**
 * Wraps key material under the primary version; binds no context.
 * @throws {KmsError} as the gate refuses; `INVALID_ARGUMENT` for a length that the algorithm cannot wrap
 */
export const { single: wrap, batch: wrapBatch } = contextless("wrap", wrapWith);

/**
 * Opens what {@link wrap} made. Bare bytes name no version: `@N` does, where the key has several.
 * @throws {KmsError} `CIPHERTEXT_INVALID`, and as the gate refuses
 */
export const { single: unwrap, batch: unwrapBatch } = contextless("unwrap", unwrapWith);

async function wrapWith(parts: BrokerParts, caller: Caller, usable: Usable, item: WrapItem): Promise<Wrapped> {
  const { key } = usable;
  const version = protectVersion(parts, usable, "wrap");
  requireMaterial(key, item.material);
  const bare = item.format === "native";
  if (key.custody.kind !== "portable") return await wrapThere(parts, caller, usable, { ...item, version, bare });
  const material = await materialOf(parts, caller, usable, version);
  const bytes = wrapMaterial(material, item.material);
  return { wrapped: bare ? bytes : wrappedFrame(material, bytes), bare, keyVersion: version };
}

type WrapThere = WrapItem & { readonly version: number; readonly bare: boolean };

async function wrapThere(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  { material, version, bare }: WrapThere,
): Promise<Wrapped> {
  const use: NativeUse = { key, version, operation: "wrap-material", trace };
  const target = nativeTarget(parts, use);
  requireAtMost(material, target.row.maxInputBytes);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    (opened, ref, call) =>
      abilityOf(opened.materialWrapper, "wrap-material").wrapMaterial({ ref, algorithm, material }, call),
  );
  const told = { bare, keyVersion: version, provider };
  if (bare) return { ...told, wrapped: value };
  const binding = uuidOfId("bnd", target.binding.id);
  if (binding === undefined) throw new KmsError("INTEGRITY_FAILURE", "the binding's id is none");
  const frame = { keyUuid: uuidOfKey(key.id), keyVersion: version, binding, ciphertext: value };
  return { ...told, wrapped: writeNativeFrame(frame) };
}

async function unwrapWith(parts: BrokerParts, caller: Caller, usable: Usable, item: UnwrapItem): Promise<Unwrapped> {
  const { version, bytes } = readWrapped(parts, usable, item);
  if (usable.key.custody.kind !== "portable") return await unwrapThere(parts, caller, usable, { version, bytes });
  const material = await materialOf(parts, caller, usable, version);
  return { material: unwrapMaterial(material, bytes), keyVersion: version };
}

type WrappedBytes = { readonly version: number; readonly bytes: Buffer };

/** Which version opens it, through the gate, and what it opens. */
function readWrapped(parts: BrokerParts, usable: Usable, { wrapped, format }: UnwrapItem): WrappedBytes {
  const { key } = usable;
  const allowed = processVersions(parts, usable, "unwrap");
  if (wrapped === undefined) throw ciphertextInvalid();
  if (format === "native") {
    const [only, ...others] = allowed;
    if (only !== undefined && others.length === 0) return { version: only, bytes: wrapped };
    throw new KmsError("INVALID_ARGUMENT", "key: wanted a version (@N), since bare bytes name none", {
      help: "name the version that the material was wrapped under, such as KEY@1",
    });
  }
  const frame = parseFrame(wrapped);
  const suite = key.custody.kind === "portable" ? "wrapped" : "native";
  if (frame.suite !== suite || frame.keyUuid !== uuidOfKey(key.id) || !allowed.includes(frame.keyVersion))
    throw ciphertextInvalid();
  if (suite === "wrapped") return { version: frame.keyVersion, bytes: wrappedBody(wrapped) };
  const { binding, ciphertext } = readNativeFrame(wrapped);
  const bound = parts.catalog.bindings(key.id, frame.keyVersion).some(({ id }) => id === `bnd_${binding}`);
  if (!bound) throw ciphertextInvalid();
  return { version: frame.keyVersion, bytes: ciphertext };
}

async function unwrapThere(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  { version, bytes }: WrappedBytes,
): Promise<Unwrapped> {
  const use: NativeUse = { key, version, operation: "unwrap-material", trace };
  const target = nativeTarget(parts, use);
  if (bytes.length > target.row.maxInputBytes) throw ciphertextInvalid();
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: ciphertextInvalid },
    (opened, ref, call) =>
      abilityOf(opened.materialWrapper, "unwrap-material").unwrapMaterial({ ref, algorithm, wrapped: bytes }, call),
  );
  return { material: value, keyVersion: version, provider };
}

function requireMaterial({ algorithm }: KeyRecord, material: Buffer): void {
  if (material.length === 0) throw wrongLength("wanted at least 1 byte");
  requireAtMost(material, MAX_MATERIAL_BYTES);
  if (algorithm !== "AES-KW" || (material.length % 8 === 0 && material.length >= 16)) return;
  throw wrongLength("AES-KW wraps multiples of 8 bytes, 16 and more");
}

function requireAtMost({ length }: Buffer, max: number): void {
  if (length > max) throw wrongLength(`wanted at most ${max} bytes, got ${length}`);
}

function wrongLength(detail: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `material: ${detail}`, {
    errors: [{ pointer: "/material", code: "length", detail }],
  });
}
