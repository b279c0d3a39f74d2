/**
 * The wait of a `Retry-After` header in milliseconds; undefined if there is none that can be read.
 * A date is counted from the answer's own `Date`, so that our clock plays no part (RFC 9110 § 10.2.3).
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/u.test(text)) return Number(text) * 1000;
  const wait = Date.parse(text) - Date.parse(headers["date"] ?? "");
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}
