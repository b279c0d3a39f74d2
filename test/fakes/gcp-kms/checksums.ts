import type { protos } from "@google-cloud/kms";
import { crc32c } from "./crc32c.ts";
import { invalidArgument } from "./failure.ts";

type Sent = protos.google.protobuf.IInt64Value | null | undefined;

/** What a checksum was sent for: its field, as the proto names it, and the bytes that came. */
export type Received = { readonly field: string; readonly bytes: Uint8Array; readonly crc: Sent };

/** Holds bytes to their checksum. True if one came, false if none did; refuses bytes that do not match. */
export const isVerified = ({ field, bytes, crc }: Received): boolean => {
  if (crc === null || crc === undefined) return false;
  if (String(crc.value ?? 0) === String(crc32c(bytes))) return true;
  throw invalidArgument(`The checksum in field ${field}_crc32c did not match the data in field ${field}.`);
};

/** The checksum of answered bytes, as an Int64Value. */
export const checksumOf = (bytes: Uint8Array): { readonly value: number } => ({ value: crc32c(bytes) });

/** Bytes of a request, which the protos type as text too. */
export const bytesOf = (value: Uint8Array | string | null | undefined): Buffer =>
  typeof value === "string" ? Buffer.from(value, "base64") : Buffer.from(value ?? []);
