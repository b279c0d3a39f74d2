import { z } from "zod";
import { type FieldError, KmsError } from "#core/errors.ts";
import { toFieldErrors } from "#http/field-errors.ts";

/** What an operation was asked: one input, or a batch of them of which some may have a wrong value. */
export type OperationBody<I> =
  | { readonly kind: "single"; readonly item: I }
  | {
      readonly kind: "batch";
      readonly items: readonly (
        | { readonly ok: true; readonly item: I }
        | { readonly ok: false; readonly error: KmsError }
      )[];
    };

const MAX_ITEMS = 1000;
/** What is wrong with the form of an item refuses the batch; what is wrong with a value fails the item. */
const SHAPE: ReadonlySet<FieldError["code"]> = new Set(["unknown-field", "required", "type"]);

/** The body of an operation: its input, or `{ "items": [1..1000 of it] }` and nothing else. */
export function operationBody<S extends z.ZodType>(single: S): z.ZodType<OperationBody<z.output<S>>> {
  return z.unknown().transform((body, context): OperationBody<z.output<S>> => {
    if (typeof body === "object" && body !== null && Object.hasOwn(body, "items"))
      return parseBatch(single, body, context);
    const parsed = single.safeParse(body);
    if (parsed.success) return { kind: "single", item: parsed.data };
    return refuse(toFieldErrors(parsed.error, body), [], context);
  });
}

function parseBatch<S extends z.ZodType>(
  single: S,
  body: object,
  context: z.RefinementCtx,
): OperationBody<z.output<S>> {
  for (const name of Object.keys(body)) {
    if (name !== "items")
      return refuse(
        [{ pointer: `/${name}`, code: "unknown-field", detail: "a batch has items and nothing else" }],
        [],
        context,
      );
  }
  const { items } = body as { readonly items: unknown };
  if (!Array.isArray(items))
    return refuse([{ pointer: "", code: "type", detail: "wanted a list" }], ["items"], context);
  if (items.length < 1 || items.length > MAX_ITEMS) {
    return refuse([{ pointer: "", code: "length", detail: `wanted 1..${MAX_ITEMS} items` }], ["items"], context);
  }
  const parsed: (OperationBody<z.output<S>> & { kind: "batch" })["items"][number][] = [];
  for (const [index, item] of items.entries()) {
    const result = single.safeParse(item);
    const errors = result.success ? [] : toFieldErrors(result.error, item);
    if (errors.some(({ code }) => SHAPE.has(code))) return refuse(errors, ["items", index], context);
    parsed.push(result.success ? { ok: true, item: result.data } : { ok: false, error: wrongValue(errors) });
  }
  return { kind: "batch", items: parsed };
}

function wrongValue(errors: readonly FieldError[]): KmsError {
  const [first] = errors;
  return new KmsError(
    "INVALID_ARGUMENT",
    first === undefined ? "wanted another value" : `${first.pointer.slice(1)}: ${first.detail}`,
    { errors },
  );
}

function refuse(errors: readonly FieldError[], prefix: readonly (string | number)[], context: z.RefinementCtx): never {
  for (const { pointer, code, detail } of errors) {
    const path =
      pointer === ""
        ? []
        : pointer
            .slice(1)
            .split("/")
            .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    context.addIssue({ code: "custom", message: detail, path: [...prefix, ...path], params: { code } });
  }
  return z.NEVER;
}
