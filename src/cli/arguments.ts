import { InvalidArgumentError } from "commander";

/** Pairs in the order in which they were typed. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/** For options such as `--context k=v`, given any number of times: the first `=` divides, a name twice is a mistake. */
export function collectPairs(text: string, before: Pairs = []): Pairs {
  const divider = text.indexOf("=");
  if (divider < 1) throw new InvalidArgumentError("wanted name=value");
  const name = text.slice(0, divider);
  if (before.some(([known]) => known === name)) throw new InvalidArgumentError(`"${name}" is given twice`);
  return [...before, [name, text.slice(divider + 1)]];
}

/** The object of the pairs; undefined for none, so that a request leaves the member out. */
export function pairsObject(pairs: Pairs | undefined): Readonly<Record<string, string>> | undefined {
  return pairs === undefined || pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

/** For options given any number of times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** For lists such as `a,b`, also given several times. */
export function collectList(text: string, before: readonly string[] = []): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) throw new InvalidArgumentError("wanted names divided by commas");
  return [...before, ...items];
}

/** A whole number, 0 or more, in decimal digits. */
export function parseWhole(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("wanted a whole number");
  return value;
}

/** A part of the whole, above 0 and up to 1. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/u.test(text) || value <= 0 || value > 1)
    throw new InvalidArgumentError("wanted a number above 0, up to 1");
  return value;
}

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LENGTH = /^(?<count>\d{1,8})(?<unit>[smhd])$/u;

/** A length of time such as `24h`, in seconds; `0` needs no unit. */
export function parseLength(text: string): number {
  if (text === "0") return 0;
  const { count, unit } = LENGTH.exec(text)?.groups ?? {};
  if (count === undefined || unit === undefined)
    throw new InvalidArgumentError("wanted a length of time such as 30m, 24h or 7d, or 0");
  return Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/u;
const DAY = /^\d{4}-\d{2}-\d{2}$/u;

/** A time of RFC 3339, or a day, which is its first moment in UTC. */
export function parseTime(text: string): string {
  const time = DAY.test(text) ? `${text}T00:00:00.000Z` : text;
  if (!RFC3339.test(time) || Number.isNaN(Date.parse(time))) {
    throw new InvalidArgumentError("wanted a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z");
  }
  return time;
}
