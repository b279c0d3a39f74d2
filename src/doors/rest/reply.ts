import type { Changed } from "#broker/caller.ts";
import type { Reply } from "#http/route.ts";

/** The reply to a change; one that repeats an earlier answer says so. */
export function changedReply(
  { value, status, replayed }: Changed<unknown>,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, body: value, headers: { ...headers, ...(replayed ? { "Idempotent-Replayed": "true" } : {}) } };
}
