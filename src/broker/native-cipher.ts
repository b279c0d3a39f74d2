import type { Context } from "#core/context.ts";
import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import { uuidOfId, uuidOfKey } from "#core/ids.ts";
import type { KeyOperation } from "#core/purposes.ts";
import type { CapabilityRow, Cipher } from "#core/provider.ts";
import { parseFrame } from "#envelope/header.ts";
import { readNativeFrame, writeNativeFrame } from "#envelope/native-frame.ts";
import type { Caller } from "./caller.ts";
import type { Decrypted, Encrypted, EncryptItem } from "./ciphering.ts";
import { type CiphertextFormat, requireFormatOf } from "./format.ts";
import { callNative, nativeTarget, type NativeTarget, type NativeUse, unexpectedVerdict } from "./native-call.ts";
import { primaryVersion, type Usable } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import { noteProtected } from "./rotation-limits.ts";
import { abilityOf } from "./ability.ts";
import { processVersions } from "./process-versions.ts";

/** Encrypts in the provider under a version of a native key that the gate let through. */
export async function encryptNative(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  { version, item }: { readonly version: number; readonly item: EncryptItem },
): Promise<Encrypted> {
  const { key, trace } = usable;
  const { plaintext, context, format } = item;
  requireFormatOf(key.algorithm, format);
  const use: NativeUse = { key, version, operation: "encrypt", trace };
  const target = nativeTarget(parts, use);
  requireLength(target.row, plaintext.length);
  requireContextOf(target, context);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: unexpectedVerdict },
    (opened, ref, call) => cipherOf(opened).encrypt({ ref, algorithm, plaintext, context }, call),
  );
  noteProtected(parts, key, version, plaintext.length);
  const told = { keyVersion: version, provider };
  if (format === "native") return { ...told, ciphertext: value, bare: true };
  const binding = uuidOfId("bnd", target.binding.id);
  if (binding === undefined) throw new KmsError("INTEGRITY_FAILURE", "the binding's id is none");
  const ciphertext = writeNativeFrame({ keyUuid: uuidOfKey(key.id), keyVersion: version, binding, ciphertext: value });
  return { ...told, ciphertext };
}

export type NativeDecryptItem = {
  readonly ciphertext: Buffer | undefined;
  readonly context: Context;
  readonly format?: CiphertextFormat;
};

/**
 * Opens a frame of suite 80, or with `format: native` the provider's own bytes: those name no version, so that every version that may open
 * them is tried, newest first.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`, and as {@link callNative}
 */
export async function decryptNative(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  operation: KeyOperation,
  item: NativeDecryptItem,
): Promise<Decrypted> {
  const { key } = usable;
  requireFormatOf(key.algorithm, item.format);
  if (item.ciphertext === undefined) throw ciphertextInvalid();
  if (item.format !== "native")
    return await decryptFrame(parts, caller, usable, { ...item, operation, ciphertext: item.ciphertext });
  return await tryVersions(
    processVersions(parts, usable, operation),
    async (version) =>
      await decryptAt(parts, caller, usable, { ...item, version, bytes: item.ciphertext ?? Buffer.alloc(0) }),
  );
}

/** The first version that opens it; `CIPHERTEXT_INVALID` if none does. */
async function tryVersions<T>(versions: readonly number[], open: (version: number) => Promise<T>): Promise<T> {
  for (const version of versions) {
    try {
      return await open(version);
    } catch (error) {
      if (!(error instanceof KmsError) || error.code !== "CIPHERTEXT_INVALID") throw error;
    }
  }
  throw ciphertextInvalid();
}

async function decryptFrame(
  parts: BrokerParts,
  caller: Caller,
  usable: Usable,
  item: NativeDecryptItem & { readonly ciphertext: Buffer; readonly operation: KeyOperation },
): Promise<Decrypted> {
  const frame = parseFrame(item.ciphertext);
  const { key, named = frame.keyVersion } = usable;
  if (frame.suite !== "native" || frame.keyUuid !== uuidOfKey(key.id) || named !== frame.keyVersion)
    throw ciphertextInvalid();
  const { binding, ciphertext } = readNativeFrame(item.ciphertext);
  const bound = parts.catalog.bindings(key.id, frame.keyVersion).some(({ id }) => id === `bnd_${binding}`);
  if (!bound || parts.catalog.version(key.id, frame.keyVersion) === undefined) throw ciphertextInvalid();
  const [version] = processVersions(parts, { ...usable, named }, item.operation);
  if (version === undefined) throw ciphertextInvalid();
  return await decryptAt(parts, caller, usable, { ...item, version, bytes: ciphertext });
}

type DecryptAt = NativeDecryptItem & { readonly version: number; readonly bytes: Buffer };

async function decryptAt(
  parts: BrokerParts,
  caller: Caller,
  { key, trace }: Usable,
  { context, version, bytes }: DecryptAt,
): Promise<Decrypted> {
  const use: NativeUse = { key, version, operation: "decrypt", trace };
  const target = nativeTarget(parts, use);
  requireContextOf(target, context);
  // longer than anything that the service could have made
  if (bytes.length === 0 || bytes.length > target.row.maxInputBytes) throw ciphertextInvalid();
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: ciphertextInvalid },
    (opened, ref, call) => cipherOf(opened).decrypt({ ref, algorithm, ciphertext: bytes, context }, call),
  );
  return { plaintext: value, keyVersion: version, stale: version !== primaryVersion(parts, key), provider };
}

function requireLength({ maxInputBytes, minInputBytes = 0 }: CapabilityRow, length: number): void {
  if (length > maxInputBytes) {
    throw new KmsError("PLAINTEXT_TOO_LARGE", `plaintext: wanted at most ${maxInputBytes} bytes, got ${length}`, {
      metadata: { maxPlaintextBytes: String(maxInputBytes), plaintextBytes: String(length) },
    });
  }
  if (length >= minInputBytes) return;
  throw new KmsError("UNSUPPORTED_COMBINATION", `plaintext: the provider wants at least ${minInputBytes} bytes`, {
    metadata: { minPlaintextBytes: String(minInputBytes), plaintextBytes: String(length) },
    errors: [{ pointer: "/plaintext", code: "length", detail: `wanted at least ${minInputBytes} bytes` }],
  });
}

/** @throws {KmsError} `UNSUPPORTED_COMBINATION` for a context that the provider cannot bind; it is never dropped. */
function requireContextOf({ row, holder }: NativeTarget, { kind }: Context): void {
  if (kind === "none" || row.context === "bytes" || (row.context === "map" && kind === "map")) return;
  throw new KmsError("UNSUPPORTED_COMBINATION", `context: ${holder.name} cannot bind one with ${row.algorithm}`, {
    metadata: { provider: holder.name, algorithm: row.algorithm },
    errors: [{ pointer: "/context", code: "conflict", detail: "the algorithm of the key binds no context" }],
  });
}

const cipherOf = (provider: { readonly cipher?: Cipher }): Cipher => abilityOf(provider.cipher, "encrypt");
