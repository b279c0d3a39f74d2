import type { Clock, Random } from "./clock.ts";
import { KmsError } from "./errors.ts";

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** A UUID in its text form: lower case, with hyphens (RFC 9562 § 4). */
export type Uuid = Branded<string, "Uuid">;
/** `key_` + UUIDv7. */
export type KeyId = `key_${string}`;
/** `bnd_` + UUIDv7. */
export type BindingId = `bnd_${string}`;
/** `cli_` + UUIDv7. */
export type ClientId = `cli_${string}`;

/** The prefixes of ids in the interface (api.md § 1). */
export type IdPrefix = "key" | "bnd" | "drf" | "apr" | "cli" | "crd" | "inv" | "mig" | "op" | "req";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

/** Parses the text form of a UUID; upper case and braces are refused. @public */
export function parseUuid(text: string): Uuid {
  if (!UUID.test(text)) throw new KmsError("INVALID_ARGUMENT", "wanted a uuid in lower case with hyphens");
  return text as Uuid;
}

export function isUuid(text: string): text is Uuid {
  return UUID.test(text);
}

/** The 16 bytes of a UUID. */
export function uuidBytes(uuid: Uuid): Buffer {
  return writeUuid(uuid, Buffer.allocUnsafe(16), 0);
}

/** Writes the 16 bytes of a UUID into `out`, digit by digit: a tenth of the time of a hexadecimal decoder. */
export function writeUuid<B extends Uint8Array>(uuid: Uuid, out: B, offset: number): B {
  let at = 0;
  for (let i = 0; i < 16; i += 1) {
    if (uuid.charCodeAt(at) === HYPHEN) at += 1;
    out[offset + i] = (hexDigit(uuid.charCodeAt(at)) << 4) | hexDigit(uuid.charCodeAt(at + 1));
    at += 2;
  }
  return out;
}

const HYPHEN = 0x2d;

/** The value of `0`-`9` or `a`-`f`. */
function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The UUID of 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}` as Uuid;
}

/** Makes a UUIDv7 (RFC 9562 § 5.7): 48 bits of epoch milliseconds, 74 random bits. */
export function createUuid({ clock, random }: { readonly clock: Clock; readonly random: Random }): Uuid {
  const bytes = random.bytes(16);
  bytes.writeUIntBE(clock.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
}

/** Makes an id such as `key_0193…`. */
export function createId<P extends IdPrefix>(prefix: P, sources: { clock: Clock; random: Random }): `${P}_${string}` {
  return `${prefix}_${createUuid(sources)}`;
}

/** The UUID inside an id with this prefix; undefined if the text is no such id. */
export function uuidOfId(prefix: IdPrefix, id: string): Uuid | undefined {
  if (!id.startsWith(`${prefix}_`)) return undefined;
  const text = id.slice(prefix.length + 1);
  return isUuid(text) ? text : undefined;
}

export function uuidOfKey(id: KeyId): Uuid {
  return id.slice(4) as Uuid;
}

export function keyIdOf(uuid: Uuid): KeyId {
  return `key_${uuid}`;
}
