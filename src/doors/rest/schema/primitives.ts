/** The values of the interface (api.md § 1): names, times, bytes. Each schema parses a request and describes itself for OpenAPI. */
import { z } from "zod";
import { KEY_ALIAS, KEY_NAME, PROVIDER_NAME } from "#core/names.ts";
import { decodeBase64 } from "#http/base64.ts";

/** A text of `min`..`max` Unicode code points. */
export function characters(min: number, max: number): z.ZodString {
  return z
    .string()
    .refine((text) => isOfLength(text, min, max), {
      error: `wanted ${min}..${max} characters`,
      params: { code: "length" },
    })
    .meta({ minLength: min, maxLength: max });
}

/** Whether a text has `min`..`max` Unicode code points, as JSON Schema counts them. */
export function isOfLength(text: string, min: number, max: number): boolean {
  if (text.length < min || text.length > 2 * max) return false;
  let count = 0;
  for (const _ of text) count += 1;
  return count >= min && count <= max;
}

export const keyName = z.string().regex(KEY_NAME).describe("Name of a key; never starts with `key_`.");
export const keyAlias = z
  .string()
  .regex(KEY_ALIAS)
  .describe("Alias of a key; shares one index with the names of its namespace.");
export const keyReference = z.string().max(300).describe("Id, name or alias of a key.");
export const providerName = z.string().regex(PROVIDER_NAME).describe("Name of a configured provider.");

/** An RFC 3339 time with any offset; parsed to epoch milliseconds. */
export const time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .describe("RFC 3339, with any offset.");

/** A time as answers write it. */
export const iso = z.string().meta({ format: "date-time" });

/** Epoch milliseconds in the form of every answer. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

const BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/** RFC 4648 § 4 base64, padded, canonical; parsed to bytes. */
export const bytes = z
  .string()
  .transform((text, context): Buffer => {
    const decoded = decodeBase64(text);
    if (decoded !== undefined) return decoded;
    context.addIssue({
      code: "custom",
      message: "wanted canonical padded base64 (RFC 4648 section 4)",
      params: { code: "format" },
    });
    return z.NEVER;
  })
  .meta({ override: { type: "string", contentEncoding: "base64", pattern: BASE64 } });

/** Bytes as answers write them. */
export const base64 = z.string().meta({ contentEncoding: "base64" });

export const ciphertext = z
  .string()
  .max(2_000_000)
  .describe(
    "The text that encrypt answered, exactly (`clv1.…`); with `format` `native`, base64 of a provider's own bytes.",
  );
