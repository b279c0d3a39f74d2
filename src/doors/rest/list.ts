import { z } from "zod";
import { KmsError } from "#core/errors.ts";

/** The parameters of every list; a resource adds its filters. */
export const listQuery = {
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/u)
    .transform(Number)
    .refine((limit) => limit <= 1000, { error: "wanted 1..1000", params: { code: "range" } })
    .default(100)
    .meta({ override: { type: "integer", minimum: 1, maximum: 1000, default: 100 } }),
  cursor: z.string().max(4000).optional(),
};

export function listAnswer<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A cursor says where the next page begins, and of which list: it is of no use with other filters. */
export function writeCursor(place: unknown, filters: unknown): string {
  return Buffer.from(JSON.stringify([place, filters]), "utf8").toString("base64url");
}

/** @throws {KmsError} `INVALID_ARGUMENT` for a cursor that is none of this list's, or whose place `form` does not take */
export function readCursor<S extends z.ZodType>(cursor: string, filters: unknown, form: S): z.output<S> {
  const parsed = parse(cursor);
  if (Array.isArray(parsed) && parsed.length === 2 && JSON.stringify(parsed[1]) === JSON.stringify(filters)) {
    const place = form.safeParse(parsed[0]);
    if (place.success) return place.data;
  }
  throw new KmsError("INVALID_ARGUMENT", `cursor: ${WANTED}`, {
    errors: [{ pointer: "/cursor", code: "format", detail: WANTED }],
  });
}

const WANTED = "wanted the nextCursor of the same list with the same filters";

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
