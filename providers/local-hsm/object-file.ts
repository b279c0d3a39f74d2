import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { ALGORITHM_NAMES, type AlgorithmName } from "#core/algorithms.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { isUuid, type Uuid } from "#core/ids.ts";
import { LocalHsmError } from "./errors.ts";
import { unwrapUnder, wrapUnder } from "./kwp.ts";

export type ObjectState = "enabled" | "disabled" | "pending-destruction" | "destroyed";

/** What a key's file says of it: the additional data of its sealed material. */
export type ObjectMeta = {
  readonly format: 1;
  readonly id: Uuid;
  /** Counts the changes; also the file's name. */
  readonly generation: number;
  readonly algorithm: AlgorithmName;
  readonly marker: string;
  readonly description: string;
  readonly state: ObjectState;
  /** Epoch milliseconds; null unless pending. */
  readonly destroyTime: number | null;
  readonly createTime: number;
  /** Raw GCM: encryptions that processes have set aside for themselves. */
  readonly invocations: number;
  /** There if the key may leave, wrapped. */
  readonly extractable?: true;
};

/** A key that was opened. Destroyed ones have {@link DESTROYED_MATERIAL}. */
export type OpenObject = { readonly meta: ObjectMeta; readonly material: Buffer };

/** Stands in place of erased material, so that a file which says "destroyed" is as hard to forge as any other. */
export const DESTROYED_MATERIAL: Uint8Array = Buffer.from("destroyed");

const count = z.int().min(0);
const SCHEMA = z.strictObject({
  meta: z.strictObject({
    format: z.literal(1),
    id: z.string().refine(isUuid),
    generation: z.int().min(1),
    algorithm: z.enum(ALGORITHM_NAMES as readonly [AlgorithmName, ...AlgorithmName[]]),
    marker: z.string(),
    description: z.string(),
    state: z.enum(["enabled", "disabled", "pending-destruction", "destroyed"]),
    destroyTime: count.nullable(),
    createTime: count,
    invocations: count,
    extractable: z.literal(true).exactOptional(),
  }),
  sealed: z.base64(),
});

/** The bytes of a key's file: its metadata, and its material under the master key with the metadata as additional data. */
export function sealObject({ meta, material }: OpenObject, masterKey: KeyObject): Buffer {
  const wrapKey = { key: masterKey, objectId: meta.id, additionalData: Buffer.from(canonicalJson(meta)) };
  return Buffer.from(canonicalJson({ meta, sealed: wrapUnder(wrapKey, material).toString("base64") }));
}

/**
 * Opens a key's file. `id` and `generation` are the ones in its name. The caller owns and zeroes the material.
 *
 * @throws {LocalHsmError} `KeyDamaged` if the file does not parse, stands under another name, or was edited.
 */
export function openObject(
  bytes: Uint8Array,
  place: { id: Uuid; generation: number; masterKey: KeyObject },
): OpenObject {
  const { id, generation, masterKey } = place;
  try {
    const { meta, sealed } = SCHEMA.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    if (meta.id !== id || meta.generation !== generation) throw new Error("the file stands under another name");
    const wrapKey = { key: masterKey, objectId: id, additionalData: Buffer.from(canonicalJson(meta)) };
    return { meta: { ...meta, id }, material: unwrapUnder(wrapKey, Buffer.from(sealed, "base64")) };
  } catch (cause) {
    throw new LocalHsmError("KeyDamaged", `the file of key ${id} does not open under the master key`, cause);
  }
}
