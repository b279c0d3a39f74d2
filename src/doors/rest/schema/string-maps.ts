/** Maps of texts: labels, attributes, contexts (api.md § 1.7). No member is special, `__proto__` neither. */
import { z } from "zod";
import { type Context, CONTEXT_LIMITS, NO_CONTEXT } from "#core/context.ts";
import { LABEL_KEY } from "#core/names.ts";
import { isOfLength } from "./primitives.ts";

type Fault = { readonly message: string; readonly params: { readonly code: string } };
type Member = readonly [name: string, value: unknown];

const MAX_LABELS = 32;
const MAX_LABEL_VALUE = 255;
const labelNames = { propertyNames: { pattern: LABEL_KEY.source }, maxProperties: MAX_LABELS };

export const labels = z
  .unknown()
  .transform((value, refinement) => readLabels(value, refinement, labelFault))
  .meta({
    override: { type: "object", additionalProperties: { type: "string", maxLength: MAX_LABEL_VALUE }, ...labelNames },
  });

/** As {@link labels}, and `null` removes one. */
export const labelChanges = z
  .unknown()
  .transform((value, refinement) =>
    readLabels(value, refinement, (name, text) => (text === null ? undefined : labelFault(name, text))),
  )
  .meta({
    override: {
      type: "object",
      additionalProperties: { type: ["string", "null"], maxLength: MAX_LABEL_VALUE },
      ...labelNames,
    },
    description: "Merged by name; `null` removes one.",
  });

const contextForm = {
  type: "object",
  additionalProperties: { type: "string", maxLength: CONTEXT_LIMITS.valueCharacters },
  propertyNames: { minLength: 1, maxLength: CONTEXT_LIMITS.keyCharacters },
  maxProperties: CONTEXT_LIMITS.pairs,
} as const;

/** The additional data of an operation; `{}` is as absent. */
export const context = z
  .unknown()
  .transform((value, refinement): Context => {
    const pairs = value === null ? new Map<string, string>() : readContext(value, refinement);
    return pairs.size === 0 ? NO_CONTEXT : { kind: "map", pairs };
  })
  .meta({
    override: { ...contextForm, type: ["object", "null"] },
    description:
      "Bound to the ciphertext: whoever opens it must give the same. At most 8,192 bytes encoded; `{}` is as absent.",
  });

/** Pairs that a context must have. */
export const contextPairs = z
  .unknown()
  .transform((value, refinement) => Object.fromEntries(readContext(value, refinement)))
  .meta({ override: contextForm });

function readLabels(
  value: unknown,
  refinement: z.RefinementCtx,
  fault: (name: string, value: unknown) => Fault | undefined,
): Record<string, string> {
  const members = membersOf(value, refinement);
  if (members.length > MAX_LABELS) refinement.addIssue({ code: "custom", ...tooLong(`${MAX_LABELS} members`) });
  for (const [name, text] of members) addFault(refinement, name, fault(name, text));
  return Object.fromEntries(members as readonly (readonly [string, string])[]);
}

function labelFault(name: string, text: unknown): Fault | undefined {
  if (!LABEL_KEY.test(name))
    return { message: `wanted names that match ${LABEL_KEY.source}`, params: { code: "format" } };
  return textFault(text, MAX_LABEL_VALUE);
}

function readContext(value: unknown, refinement: z.RefinementCtx): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  let encodedBytes = 3;
  const members = membersOf(value, refinement);
  for (const [name, text] of members) {
    addFault(refinement, name, contextFault(name, text));
    if (typeof text !== "string") continue;
    pairs.set(name, text);
    encodedBytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  if (members.length > CONTEXT_LIMITS.pairs || encodedBytes > CONTEXT_LIMITS.encodedBytes) {
    const { pairs: most, encodedBytes: bytes } = CONTEXT_LIMITS;
    refinement.addIssue({ code: "custom", ...tooLong(`${most} pairs and ${bytes} bytes encoded`) });
  }
  return pairs;
}

function contextFault(name: string, text: unknown): Fault | undefined {
  const { keyCharacters, valueCharacters } = CONTEXT_LIMITS;
  const fault = textFault(text, valueCharacters);
  if (fault !== undefined || isOfLength(name, 1, keyCharacters)) return fault;
  return { message: `wanted a name of 1..${keyCharacters} characters`, params: { code: "length" } };
}

function textFault(text: unknown, max: number): Fault | undefined {
  if (typeof text !== "string") return { message: "wanted a text", params: { code: "type" } };
  return isOfLength(text, 0, max) ? undefined : tooLong(`${max} characters`);
}

function tooLong(most: string): Fault {
  return { message: `wanted at most ${most}`, params: { code: "length" } };
}

function addFault(refinement: z.RefinementCtx, name: string, fault: Fault | undefined): void {
  if (fault !== undefined) refinement.addIssue({ code: "custom", path: [name], ...fault });
}

function membersOf(value: unknown, refinement: z.RefinementCtx): readonly Member[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  refinement.addIssue({ code: "custom", message: "wanted an object of texts", params: { code: "type" } });
  return [];
}
