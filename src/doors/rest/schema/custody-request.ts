import { z } from "zod";
import { distinct, optional } from "./optional.ts";
import { providerName } from "./primitives.ts";

const holders = optional(distinct(providerName, 16).min(1)).describe(
  "Who holds it, in this order; the route's unless told.",
);
const minimum = optional(z.int().min(1).max(16)).describe("How many failure domains must hold it before it is used.");

const portable = z.strictObject({
  kind: z.literal("portable"),
  holders,
  minimum,
  threshold: optional(z.int().min(1).max(16)).describe("How many holders are needed to open it; 1 unless told."),
  dedicated: optional(z.boolean()).describe("A branch key of its own; false unless told."),
});
const native = z.strictObject({ kind: z.literal("native"), provider: optional(providerName) });
const replicated = z.strictObject({ kind: z.literal("replicated"), holders, minimum });
const perProvider = z.strictObject({ kind: z.literal("per-provider"), holders, minimum });

/** Where a new key should live; what is absent follows the purpose and the route. */
export const custodyRequest = z
  .discriminatedUnion("kind", [portable, native, replicated, perProvider])
  .describe("Where the material lives and who operates; what is absent follows the purpose and the route.");
