import { gate } from "#core/gate.ts";
import { KmsError } from "#core/errors.ts";
import type { HistoryRecord, KeyRecord } from "#core/records.ts";
import { sha256 } from "#envelope/sha256.ts";
import type { Caller } from "./caller.ts";
import { changeKey } from "./change-key.ts";
import { versionOf } from "./key-reference.ts";
import { callNative, nativeTarget } from "./native-call.ts";
import { primaryVersion } from "./operate.ts";
import type { BrokerParts } from "./parts.ts";
import type { Trace } from "./trace.ts";

const ACTION = "export";

export type ExportInput = {
  /** SPKI DER, RSA of 2048 to 4096 bits. */
  readonly wrappingKey: Buffer;
  /** Undefined: the primary one, or the latest while none is. */
  readonly version: number | undefined;
  readonly reason: string | undefined;
};

export type ExportedKey = {
  readonly key: KeyRecord;
  readonly keyVersion: number;
  readonly provider: string;
  /** RSA-OAEP(SHA-256) of a key for AES-256-KWP, then what that wraps. */
  readonly wrapped: Buffer;
  /** SHA-256 of the wrapping key's SPKI, in hexadecimal: what trail and history name it by. */
  readonly fingerprint: string;
};

/**
 * Gives a version of an extractable native key away, wrapped by the provider that holds it: the gateway never has it. It stands in the history
 * of the key before the answer, and in its exposure from then on.
 *
 * @throws {KmsError} `ILLEGAL_TRANSITION` for a key that was not made extractable; `UNSUPPORTED_COMBINATION` for one that no provider holds
 *   alone; `INVALID_ARGUMENT` for a wrapping key that is none; `KEY_NOT_ACTIVE`, `VERSION_NOT_USABLE`, `KEY_HELD`, `NO_PROVIDER`
 */
export async function exportKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  input: ExportInput,
): Promise<ExportedKey> {
  const fingerprint = sha256(input.wrappingKey).toString("hex");
  let out: { readonly keyVersion: number; readonly provider: string; readonly wrapped: Buffer } | undefined;
  const { value } = await changeKey(parts, caller, reference, {
    action: ACTION,
    permission: "keys.lifecycle",
    explanation: {
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      detail: `wrapped under the key with SHA-256 ${fingerprint}`,
    },
    prepare: async (key, trace) => {
      requireExtractable(key);
      const keyVersion = input.version ?? primaryVersion(parts, key) ?? key.latestVersion;
      requireUsable(parts, key, keyVersion);
      out = {
        keyVersion,
        ...(await wrapped(parts, caller, { key, keyVersion, wrappingKey: input.wrappingKey, trace })),
      };
    },
    decide: (key) => ({ next: key }),
  });
  if (out === undefined) throw new KmsError("INTERNAL", "nothing was exported");
  return { key: value.key, ...out, fingerprint };
}

/** When a key was first given away, as its history tells; null if never. Epoch milliseconds. */
export function firstExport(history: readonly HistoryRecord[]): number | null {
  const times = history.flatMap(({ action, time }) => (action === ACTION ? [time] : []));
  return times.length === 0 ? null : Math.min(...times);
}

function requireExtractable({ custody, exportability }: KeyRecord): void {
  if (custody.kind !== "native") {
    throw new KmsError("UNSUPPORTED_COMBINATION", "only keys that a provider holds are exported", {
      metadata: { custody: custody.kind },
      help: "export-wraps gives what opens a portable key",
    });
  }
  if (exportability.extractable) return;
  throw new KmsError("ILLEGAL_TRANSITION", "export: the key was not made extractable, and cannot become so", {
    metadata: { verb: ACTION },
    help: "create a key with exportability.extractable",
  });
}

/** Whoever may open what a key has made may have it too; who may not, may not. */
function requireUsable(parts: BrokerParts, key: KeyRecord, number: number): void {
  if (key.latestVersion === 0) throw new KmsError("KEY_NOT_ACTIVE", "the key awaits its material");
  if (parts.catalog.version(key.id, number) === undefined) {
    throw new KmsError("VERSION_NOT_USABLE", "the key has no such version", {
      metadata: { keyId: key.id, keyVersion: String(number) },
      errors: [{ pointer: "/version", code: "range", detail: `wanted 1..${key.latestVersion}` }],
    });
  }
  const now = parts.sources.clock.now();
  const verdict = gate({ key, version: versionOf(parts.catalog, key, number), operation: "unwrap", now });
  if (!verdict.allowed) throw new KmsError(verdict.code, verdict.detail, { metadata: verdict.metadata });
}

type Wrapping = {
  readonly key: KeyRecord;
  readonly keyVersion: number;
  readonly wrappingKey: Buffer;
  readonly trace: Trace;
};

async function wrapped(
  parts: BrokerParts,
  caller: Caller,
  { key, keyVersion, wrappingKey, trace }: Wrapping,
): Promise<{ readonly wrapped: Buffer; readonly provider: string }> {
  const use = { key, version: keyVersion, operation: "export", trace } as const;
  const target = nativeTarget(parts, use);
  const { algorithm } = key;
  const { value, provider } = await callNative(
    parts,
    caller,
    { use, target, invalid: notAWrappingKey },
    async ({ exporter }, ref, call) =>
      await (exporter ?? noExporter()).exportKey({ ref, algorithm, wrappingKey }, call),
  );
  return { wrapped: value, provider };
}

function noExporter(): never {
  throw new KmsError("UNSUPPORTED_COMBINATION", "the provider exports nothing");
}

function notAWrappingKey(): KmsError {
  const detail = "wanted the public key (SPKI) of an RSA pair of 2048 to 4096 bits";
  return new KmsError("INVALID_ARGUMENT", `wrappingKey: ${detail}`, {
    errors: [{ pointer: "/wrappingKey", code: "format", detail }],
  });
}
