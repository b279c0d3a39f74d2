import { createCipheriv, hash, hkdfSync } from "node:crypto";
import type { Random } from "#core/clock.ts";
import type { Context } from "#core/context.ts";
import { KmsError } from "#core/errors.ts";
import { parseUuid } from "#core/ids.ts";
import type { MessageIdSource } from "#envelope/message-id.ts";

export const NAMESPACE = parseUuid("01890a5d-ac96-774b-bcce-b302099a8057");
export const KEY = parseUuid("01890a5d-ac96-774b-bcce-b302099a8058");
export const BRANCH = parseUuid("01890a5d-ac96-774b-bcce-b302099a8059");
export const RECIPIENT = parseUuid("01890a5d-ac96-774b-bcce-b302099a805a");
export const OTHER_ID = parseUuid("01890a5d-ac96-774b-bcce-b302099a80ff");

/** 32 bytes that count up from `first`. */
export function countingKey(first: number): Buffer {
  const key = Buffer.allocUnsafeSlow(32);
  for (let i = 0; i < 32; i += 1) key[i] = (first + i) & 0xff;
  return key;
}

export const VERSION_KEY = countingKey(0x00);
export const BRANCH_KEY = countingKey(0x20);
export const ROOT_KEY = countingKey(0x40);
export const MESSAGE_ID = countingKey(0x80);

export const TENANT_CONTEXT: Context = {
  kind: "map",
  pairs: new Map([
    ["tenant", "42"],
    ["purpose", "invoice"],
  ]),
};

/** Every message gets the same id: for vectors alone. */
export const fixedMessageIds: MessageIdSource = {
  forMessage: () => Buffer.from(MESSAGE_ID),
  forStream: () => Buffer.from(MESSAGE_ID),
};

/** Repeatable bytes: SHA-256 of a counter, apart for the two generators. Remembers what it gave. */
export function countingRandom(): Random & { readonly given: Buffer[] } {
  const given: Buffer[] = [];
  const make = (source: string) => (length: number) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < length; at += 32) hash("sha256", `${source} ${given.length} ${at}`, "buffer").copy(bytes, at);
    given.push(bytes);
    return bytes;
  };
  return { given, bytes: make("own"), kernelBytes: make("kernel") };
}

/** What a caller sees of an error. */
export function refusalOf(run: () => unknown): {
  readonly code: string;
  readonly message: string;
  readonly publicMessage: string;
} {
  try {
    run();
  } catch (error) {
    if (error instanceof KmsError)
      return { code: error.code, message: error.message, publicMessage: error.publicMessage };
    throw error;
  }
  throw new Error("it was not refused");
}

/** `bytes` with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
  return copy;
}

/** A ciphertext under {@link VERSION_KEY} whose frames are as given, whatever the format says of them: what only a holder of the key can make. */
export function forgeFrames(head: Buffer, contextDigest: Buffer, frames: readonly Uint8Array[]): Buffer {
  const info = Buffer.concat([Buffer.from("claviger/1 message\0"), head, contextDigest]);
  const okm = Buffer.from(hkdfSync("sha512", VERSION_KEY, MESSAGE_ID, info, 64));
  const sealed = frames.map((plaintext, index) => {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(index, 7);
    iv.writeUInt8(index === frames.length - 1 ? 1 : 0, 11);
    const gcm = createCipheriv("aes-256-gcm", okm.subarray(0, 32), iv);
    return Buffer.concat([gcm.update(plaintext), gcm.final(), gcm.getAuthTag()]);
  });
  return Buffer.concat([head, MESSAGE_ID, okm.subarray(32), ...sealed]);
}
