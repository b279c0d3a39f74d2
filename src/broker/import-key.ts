import { hasPublicKey } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import type { CapabilityRow } from "#core/provider.ts";
import { type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";
import { effectiveLifecycle } from "#core/effective-lifecycle.ts";
import { isPublicHalf, isWholePair } from "#envelope/key-pair.ts";
import { sha256 } from "#envelope/sha256.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { toKmsError } from "#resilience/failover.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey } from "./change-key.ts";
import type { ImportParameters } from "./import-keys.ts";
import { firstLifecycle } from "./key-draft.ts";
import { resolveKey } from "./key-reference.ts";
import type { KeyView } from "./key-view.ts";
import { discardNativeKey, nativeBinding, type NativeKey, readPublicKey } from "./native-key.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";
import type { Trace } from "./trace.ts";
import { type Holder, isHolder } from "./write-wrap.ts";

export type ImportInput = {
  readonly token: string;
  /** RSA-OAEP(SHA-256) of a key for AES-256-KWP, then what that wraps. */
  readonly wrapped: Buffer;
  /** Undefined: as was wished when the key was made. For the first import; later ones become primary. */
  readonly activate: boolean | undefined;
};

/**
 * What a caller wraps material for this key under.
 *
 * @throws {KmsError} `ILLEGAL_TRANSITION` for a key that takes no import
 */
export async function importParameters(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
): Promise<ImportParameters & { readonly keyId: string }> {
  const { key } = await resolveKey(parts, caller, reference);
  requirePermission(caller, "keys.change");
  requireImportable(parts, key);
  return { keyId: key.id, ...(await parts.importKeys.parameters(key.id)) };
}

/**
 * Gives a key that was made for imports its material: its first version, or the next, which becomes primary. The gateway unwraps it, hands it
 * to the provider, and forgets it.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a token that is another key's or over, for a blob that does not unwrap, and for bytes that are no
 *   key of the algorithm; `ILLEGAL_TRANSITION`, `NO_PROVIDER`, `UNSUPPORTED_COMBINATION`
 */
export async function importKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  input: ImportInput,
): Promise<Changed<KeyView>> {
  let native: NativeKey | undefined;
  let number = 0;
  try {
    return await changeKey(parts, caller, reference, {
      action: "import",
      permission: "keys.change",
      prepare: async (key, trace) => {
        requireImportable(parts, key);
        const target = targetOf(parts, key);
        const material = await openMaterial(parts, key, { input, row: target.row });
        try {
          number = key.latestVersion + 1;
          if (!caller.dryRun)
            native = await importAt(parts, caller, { key, material, holder: target.holder, input, trace });
        } finally {
          material.fill(0);
        }
      },
      decide: (key, catalog, now) => {
        requireImportable(parts, key);
        if (number !== key.latestVersion + 1) throw raced();
        const next = imported(key, { number, activate: input.activate, now });
        if (native === undefined) return { next };
        const version: VersionRecord = {
          ...firstLifecycle(next),
          key: key.id,
          version: number,
          branch: null,
          branchVersion: null,
          seal: null,
          createTime: now,
        };
        const id = versionRowId(key.id, number);
        const binding = nativeBinding(parts, key, number, native);
        return {
          next: { ...next, custody: { kind: "native", provider: native.holder.name } },
          mutations: [
            { table: "versions", id, record: version, ifRevision: catalog.revisionOf("versions", id) },
            { table: "bindings", id: binding.id, record: binding, ifRevision: 0 },
          ],
        };
      },
    });
  } catch (error) {
    if (native !== undefined && parts.catalog.bindingOf(native.holder.uid, native.nativeRef) === undefined)
      await discardNativeKey(parts, caller, native);
    throw error;
  }
}

function requireImportable(parts: BrokerParts, key: KeyRecord): void {
  const { state, stateReason } = effectiveLifecycle(key, parts.sources.clock.now());
  const awaits = stateReason === "awaiting-material";
  if (key.origin !== "imported") {
    throw new KmsError("ILLEGAL_TRANSITION", "import: the key was not made for imports", {
      metadata: { verb: "import", state },
      help: "create a key with material: import",
    });
  }
  if (awaits || state === "active") return;
  throw new KmsError("ILLEGAL_TRANSITION", `import: wanted a key that awaits material or is active, it is ${state}`, {
    metadata: { verb: "import", state },
  });
}

type Target = { readonly holder: Holder; readonly row: CapabilityRow };

/** The provider that has the versions before, or that the key was placed at. */
function targetOf(parts: BrokerParts, key: KeyRecord): Target {
  const uid = parts.catalog.bindings(key.id, key.latestVersion)[0]?.providerUid;
  const name = key.custody.kind === "native" ? key.custody.provider : "";
  const holder = uid === undefined ? parts.fleet.member(name) : parts.fleet.memberByUid(uid);
  if (!isHolder(holder)) {
    throw new KmsError(
      "NO_PROVIDER",
      "the provider that is to hold the key has not been reached, or is misconfigured",
      {
        metadata: { provider: name },
        retryAfterSeconds: 1,
      },
    );
  }
  const row = holder.provider.capabilities.rows.find(
    ({ operation, algorithm }) => operation === "import" && algorithm === key.algorithm,
  );
  if (row !== undefined && holder.provider.importer !== undefined) return { holder, row };
  throw new KmsError("UNSUPPORTED_COMBINATION", `${holder.name} does not import ${key.algorithm}`, {
    metadata: { provider: holder.name, algorithm: key.algorithm },
  });
}

async function openMaterial(
  parts: BrokerParts,
  key: KeyRecord,
  { input, row }: { readonly input: ImportInput; readonly row: CapabilityRow },
): Promise<Buffer> {
  const opened = await parts.importKeys.open(key.id, input);
  if (!opened.ok) {
    throw opened.because === "token"
      ? refused("/token", "wanted a token of this key's import-parameters that is not over")
      : refused("/wrapped", "wanted the material, wrapped under the key of import-parameters (RSA-AES-KWP-SHA256)");
  }
  const { length } = opened.material;
  const fits = length >= (row.minInputBytes ?? 0) && length <= row.maxInputBytes;
  if (fits && (!hasPublicKey(key.algorithm) || isWholePair(opened.material))) return opened.material;
  opened.material.fill(0);
  throw notTheKey(key);
}

type ImportAt = {
  readonly key: KeyRecord;
  readonly material: Buffer;
  readonly holder: Holder;
  readonly input: ImportInput;
  readonly trace: Trace;
};

async function importAt(
  parts: BrokerParts,
  caller: Caller,
  { key, material, holder, input, trace }: ImportAt,
): Promise<NativeKey> {
  const { algorithm, name, exportability } = key;
  // the same request finds what it had imported before; another one never takes that for its own
  const digest = sha256(
    Buffer.from(JSON.stringify([uuidOfKey(key.id), key.latestVersion + 1, input.wrapped.toString("base64")])),
  );
  const spec = {
    algorithm,
    marker: `import-${digest.toString("hex").slice(0, 48)}`,
    description: `claviger key ${name}`,
    material,
    ...(exportability.extractable && { extractable: true }),
  };
  try {
    const made = await parts.pool.call(
      holder.name,
      "control",
      "import-key",
      async (call) => await (holder.provider.importer ?? missing()).importKey(spec, call),
      {
        deadline: caller.deadline,
        requestId: caller.requestId,
        last: true,
        mutation: true,
        onAttempt: (attempt) => void trace.attempts.push(attempt),
      },
    );
    const publicKey = await readPublicKey(parts, caller, { holder, made, algorithm, trace });
    const native: NativeKey = { holder, nativeRef: made.ref, publicKey, pending: false };
    // what the provider shows must be what was brought
    if (publicKey !== null && !isPublicHalf(Buffer.from(publicKey, "base64"), material)) {
      await discardNativeKey(parts, caller, native);
      throw notTheKey(key);
    }
    return native;
  } catch (error) {
    const fault = faultOf(error);
    if (fault.failure === "INVALID") throw notTheKey(key);
    throw error instanceof KmsError ? error : toKmsError([fault], error);
  }
}

function missing(): never {
  throw new KmsError("UNSUPPORTED_COMBINATION", "the provider imports nothing");
}

/** The key with its new version, which is primary unless the key is not to begin yet. */
function imported(
  key: KeyRecord,
  { number, activate, now }: { readonly number: number; readonly activate: boolean | undefined; readonly now: number },
): KeyRecord {
  const next: KeyRecord = { ...key, latestVersion: number };
  if (key.stateReason !== "awaiting-material")
    return { ...next, primaryVersion: number, pendingVersion: null, pendingTime: null };
  const { activateTime } = key;
  const later = activateTime !== null && activateTime > now;
  const begins = !later && (activate ?? activateTime !== null);
  if (!begins) return { ...next, stateReason: "created", activateTime: later ? activateTime : null };
  return { ...next, state: "active", stateReason: null, activateTime: activateTime ?? now, primaryVersion: number };
}

function notTheKey({ algorithm }: KeyRecord): KmsError {
  return refused("/wrapped", `wanted a key of ${algorithm}: ${formOf(algorithm)}`);
}

function formOf(algorithm: string): string {
  const secret = /^AES-(?:(?<bits>\d+)|KWP?)/u.exec(algorithm);
  if (secret !== null) return `${Number(secret.groups?.["bits"] ?? 256) / 8} raw bytes`;
  return algorithm.startsWith("HMAC-") ? "its raw bytes" : "its private key as PKCS#8 DER";
}

function refused(pointer: string, detail: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `${pointer.slice(1)}: ${detail}`, {
    errors: [{ pointer, code: "format", detail }],
  });
}

function raced(): KmsError {
  return new KmsError("PLAN_STALE", "another import came first", {
    help: "look at the key, and import again if that is still wanted",
  });
}
