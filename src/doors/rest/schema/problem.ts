import { z } from "zod";

/** A field error as answers carry it. */
export const fieldErrorAnswer = z.object({
  pointer: z.string().describe("RFC 6901."),
  code: z.enum(["unknown-field", "required", "type", "format", "range", "length", "enum", "duplicate", "conflict"]),
  detail: z.string(),
});

/** The body of every error (api.md § 4). */
export const problemAnswer = z
  .object({
    type: z.string().describe("Where the code is explained."),
    title: z.string().describe("Fixed per code."),
    status: z.int(),
    code: z.string().describe("One of the codes at `/docs/errors`; more may come."),
    detail: z.string(),
    help: z.string().optional().describe("What to do next."),
    retry: z
      .enum(["never", "later", "same-key"])
      .describe(
        "`later`: the same request after `Retry-After`. `same-key`: the same request with its Idempotency-Key.",
      ),
    requestId: z.string(),
    metadata: z.record(z.string(), z.string()).describe("Every variable part of `detail`, by name."),
    errors: z.array(fieldErrorAnswer).describe("One entry per wrong field."),
  })
  .meta({ id: "Problem", description: "RFC 9457." });

/** The error of an item of a batch. */
export const itemErrorAnswer = z
  .object({
    error: problemAnswer
      .pick({ code: true, status: true, retry: true, detail: true })
      .extend({ errors: z.array(fieldErrorAnswer).optional() }),
  })
  .meta({ id: "FailedItem" });
