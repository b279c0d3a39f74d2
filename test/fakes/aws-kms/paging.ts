import { AwsFailure } from "./failure.ts";
import type { Input } from "./input.ts";

export type Page<T> = {
  readonly items: readonly T[];
  readonly tail: { readonly Truncated: boolean; readonly NextMarker?: string };
};

/** Cuts the page that `Limit` and `Marker` ask for. A marker names the item after which the page begins. */
export const pageOf = <T>(
  all: readonly T[],
  input: Input,
  { fallback, max, idOf }: { readonly fallback: number; readonly max: number; readonly idOf: (item: T) => string },
): Page<T> => {
  const limit = input.whole("Limit", { min: 1, max }) ?? fallback;
  const marker = input.text("Marker", { min: 1, max: 1024 });
  const from = marker === undefined ? 0 : all.findIndex((item) => encode(idOf(item)) === marker) + 1;
  if (marker !== undefined && from === 0)
    throw new AwsFailure("InvalidMarkerException", "Could not deserialize marker");
  const items = all.slice(from, from + limit);
  const last = items.at(-1);
  if (last === undefined || from + limit >= all.length) return { items, tail: { Truncated: false } };
  return { items, tail: { Truncated: true, NextMarker: encode(idOf(last)) } };
};

const encode = (id: string): string => Buffer.from(`after:${id}`).toString("base64");
