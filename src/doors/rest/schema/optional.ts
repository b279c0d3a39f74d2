import { z } from "zod";

/** Absent and `null` are one: undefined. */
export function optional<S extends z.ZodType>(schema: S): z.ZodType<z.output<S> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Absent and `null` are one: `value`. */
export function defaulted<S extends z.ZodType>(schema: S, value: z.output<S>): z.ZodType<z.output<S>> {
  return schema
    .nullish()
    .transform((given) => given ?? value)
    .meta({ override: { default: value } }); // zod leaves a plain default away where there is a transform
}

/** Absent stays absent; `null` clears. */
export function clearable<S extends z.ZodType>(schema: S): z.ZodOptional<z.ZodNullable<S>> {
  return schema.nullable().optional();
}

/** A list of at most `max` that holds nothing twice. */
export function distinct<S extends z.ZodType<string>>(item: S, max: number): z.ZodArray<S> {
  return z
    .array(item)
    .max(max)
    .refine((list) => new Set(list).size === list.length, { error: "wanted no repeats", params: { code: "duplicate" } })
    .meta({ uniqueItems: true });
}
