/** What the operations on keys share: a body that may be a batch, and the answer of either form (api.md § 7). */
import { z } from "zod";
import { KmsError } from "#core/errors.ts";
import type { ItemOutcome } from "#broker/operate.ts";
import { toItemProblem } from "#http/problem.ts";
import type { Params, Reply } from "#http/route.ts";
import type { OperationBody } from "../operation-body.ts";
import { param } from "../rest-parts.ts";
import { itemErrorAnswer } from "../schema/problem.ts";

export const DATA = {
  method: "POST",
  plane: "data",
  changes: false,
  maxBodyBytes: 1_048_576,
  query: undefined,
} as const;

export const served = {
  keyId: z.string(),
  keyVersion: z.int(),
  provider: z.string().describe("`gateway`, or the provider that did it."),
  attempts: z.int().describe("Provider calls made for it; 0 is none."),
};

/** An answer, or those of a batch in the order of its items. */
export function answers(name: string, single: z.ZodType): Readonly<Record<number, z.ZodType>> {
  const batch = z
    .object({
      items: z.array(z.union([single, itemErrorAnswer])).describe("In the order of the request."),
      failed: z.int(),
    })
    .meta({ id: `${name}BatchAnswer` });
  return { 200: z.union([single, batch]), 207: batch };
}

/** What a body may be, for readers. */
export function batchable(name: string, single: z.ZodType): z.ZodType {
  const batch = z.strictObject({ items: z.array(single).min(1).max(1000) }).meta({ id: `${name}BatchRequest` });
  return z.union([single, batch]);
}

export type Use<I, V> = {
  /** What no use case can judge: values of this door. @throws {KmsError} */
  readonly check: (item: I) => void;
  readonly single: (key: string, item: I) => Promise<V>;
  readonly batch: (key: string, items: readonly I[]) => Promise<readonly ItemOutcome<V>[]>;
  readonly toJson: (value: V) => unknown;
};

/** Runs the operation on one input, or on each of a batch. */
export async function run<I, V>(body: OperationBody<I>, params: Params, use: Use<I, V>): Promise<Reply> {
  const key = param(params, "key");
  if (body.kind === "single") {
    use.check(body.item);
    return { status: 200, body: use.toJson(await use.single(key, body.item)) };
  }
  const checked = body.items.map((item) => (item.ok ? checkItem(item.item, use) : item));
  const good = checked.flatMap((item) => (item.ok ? [item.item] : []));
  const outcomes = (await use.batch(key, good)).values();
  const items = checked.map((item) => {
    const outcome = item.ok ? outcomes.next().value : item;
    if (outcome === undefined) return { error: toItemProblem(new KmsError("INTERNAL", "something went wrong inside")) };
    return outcome.ok && "value" in outcome
      ? use.toJson(outcome.value)
      : { error: toItemProblem((outcome as { error: KmsError }).error) };
  });
  const failed = items.filter((item) => typeof item === "object" && item !== null && "error" in item).length;
  return { status: failed === 0 ? 200 : 207, body: { items, failed } };
}

type Checked<I> = { readonly ok: true; readonly item: I } | { readonly ok: false; readonly error: KmsError };

function checkItem<I, V>(item: I, use: Use<I, V>): Checked<I> {
  try {
    use.check(item);
    return { ok: true, item };
  } catch (error) {
    if (error instanceof KmsError) return { ok: false, error };
    throw error;
  }
}
