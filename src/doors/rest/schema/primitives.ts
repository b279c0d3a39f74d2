/** The values of the interface (api.md § 1): names, times, bytes, contexts. Each schema parses a request and describes itself for OpenAPI. */
import { z } from "zod";
import { type Context, CONTEXT_LIMITS, NO_CONTEXT } from "#core/context.ts";
import { KEY_ALIAS, KEY_NAME, LABEL_KEY } from "#core/names.ts";
import { decodeBase64 } from "#http/base64.ts";

/** A text of `min`..`max` Unicode code points. */
export function characters(min: number, max: number): z.ZodString {
  return z.string().refine((text) => {
    const length = codePoints(text);
    return length >= min && length <= max;
  }, `wanted ${min}..${max} characters`);
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export const keyName = z.string().regex(KEY_NAME).meta({ description: "Name of a key; never starts with key_." });
export const keyAlias = z
  .string()
  .regex(KEY_ALIAS)
  .meta({ description: "Alias of a key; shares one index with the names." });

/** An RFC 3339 time with any offset; parsed to epoch milliseconds. */
export const time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .meta({ description: "RFC 3339, any offset in, UTC with milliseconds out." });

/** Epoch milliseconds in the form of every answer. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

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
  .meta({ override: { type: "string", contentEncoding: "base64" } });

const MAX_LABELS = 32;
const MAX_VALUE = 255;

export const labels = z
  .unknown()
  .transform((value, context) => stringMap(value, context, labelProblem))
  .meta({
    override: {
      type: "object",
      additionalProperties: { type: "string", maxLength: MAX_VALUE },
      maxProperties: MAX_LABELS,
    },
  });

/** As {@link labels}, and `null` removes one. */
export const labelChanges = z
  .unknown()
  .transform((value, context) =>
    stringMap(value, context, (name, text) => (text === null ? undefined : labelProblem(name, text))),
  )
  .meta({ override: { type: "object", additionalProperties: { type: ["string", "null"], maxLength: MAX_VALUE } } });

/** Typed attributes of a key: text by name. */
export const attributes = labels;
export const attributeChanges = labelChanges;

function labelProblem(name: string, text: unknown): string | undefined {
  if (!LABEL_KEY.test(name)) return `wanted names that match ${LABEL_KEY.source}`;
  if (typeof text !== "string") return "wanted a text";
  return codePoints(text) > MAX_VALUE ? `wanted at most ${MAX_VALUE} characters` : undefined;
}

type Problem = (name: string, value: unknown) => string | undefined;

function stringMap(value: unknown, context: z.RefinementCtx, problem: Problem): Record<string, string> {
  const members = ownMembers(value);
  if (members === undefined) {
    context.addIssue({ code: "custom", message: "wanted an object of texts", params: { code: "type" } });
    return z.NEVER;
  }
  if (members.length > MAX_LABELS) {
    context.addIssue({ code: "custom", message: `wanted at most ${MAX_LABELS} members`, params: { code: "length" } });
  }
  for (const [name, text] of members) {
    const message = problem(name, text);
    if (message !== undefined) context.addIssue({ code: "custom", message, path: [name], params: { code: "format" } });
  }
  return Object.fromEntries(members as readonly (readonly [string, string])[]);
}

function ownMembers(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value);
}

/** The additional data of an operation: a map of strings; `{}` is as absent. No member is special, `__proto__` neither. */
export const context = z
  .unknown()
  .transform((value, refinement): Context => {
    if (value === null) return NO_CONTEXT;
    const members = ownMembers(value);
    if (members === undefined) {
      refinement.addIssue({ code: "custom", message: "wanted an object of texts", params: { code: "type" } });
      return z.NEVER;
    }
    return toContext(members, refinement);
  })
  .meta({
    override: { type: "object", additionalProperties: { type: "string" }, maxProperties: CONTEXT_LIMITS.pairs },
  });

function toContext(members: readonly (readonly [string, unknown])[], refinement: z.RefinementCtx): Context {
  if (members.length === 0) return NO_CONTEXT;
  const pairs = new Map<string, string>();
  let encoded = 3;
  for (const [name, text] of members) {
    const problem = contextProblem(name, text);
    if (problem !== undefined) refinement.addIssue({ code: "custom", path: [name], ...problem });
    else if (typeof text === "string") pairs.set(name, text);
    encoded += 4 + Buffer.byteLength(name) + (typeof text === "string" ? Buffer.byteLength(text) : 0);
  }
  if (members.length > CONTEXT_LIMITS.pairs || encoded > CONTEXT_LIMITS.encodedBytes) {
    const message = `wanted at most ${CONTEXT_LIMITS.pairs} pairs and ${CONTEXT_LIMITS.encodedBytes} bytes encoded`;
    refinement.addIssue({ code: "custom", message, params: { code: "length" } });
  }
  return { kind: "map", pairs };
}

function contextProblem(name: string, text: unknown): { message: string; params: { code: string } } | undefined {
  const { keyCharacters, valueCharacters } = CONTEXT_LIMITS;
  if (typeof text !== "string") return { message: "wanted a text", params: { code: "type" } };
  const length = codePoints(name);
  if (length < 1 || length > keyCharacters)
    return { message: `wanted a name of 1..${keyCharacters} characters`, params: { code: "length" } };
  if (codePoints(text) > valueCharacters)
    return { message: `wanted at most ${valueCharacters} characters`, params: { code: "length" } };
  return undefined;
}
