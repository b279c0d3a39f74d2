import type { AuditTrail } from "#core/audit.ts";

/** The trail, with the time of each append told. */
export function timedAudit(
  trail: AuditTrail,
  { monotonicMs, onAppend }: { readonly monotonicMs: () => number; readonly onAppend: (seconds: number) => void },
): AuditTrail {
  return {
    append: (event, options) => {
      const startMs = monotonicMs();
      return trail.append(event, options).then(() => onAppend((monotonicMs() - startMs) / 1000));
    },
    query: async (query, page) => await trail.query(query, page),
    get available() {
      return trail.available;
    },
    [Symbol.asyncDispose]: async () => {
      await trail[Symbol.asyncDispose]();
    },
  };
}
