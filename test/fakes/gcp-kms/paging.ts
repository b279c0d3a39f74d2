import { invalidArgument } from "./failure.ts";
import type { KmsState } from "./state.ts";

type Asked = { readonly pageSize: number; readonly pageToken: string; readonly filter: string };

/** The page that `page_size` and `page_token` ask for, of what `filter` lets through. */
export const pageOf = <T extends { readonly name: string }>(
  kms: KmsState,
  all: readonly T[],
  { asked, fields }: { readonly asked: Asked; readonly fields: (item: T) => Readonly<Record<string, string>> },
): { readonly items: readonly T[]; readonly nextPageToken: string; readonly totalSize: number } => {
  if (asked.pageSize < 0) throw invalidArgument("page_size must not be negative.");
  const matching = all.filter((item) => matches(asked.filter, fields(item)));
  const limit = Math.min(asked.pageSize === 0 ? DEFAULT_PAGE : asked.pageSize, MAX_PAGE);
  const from = asked.pageToken === "" ? 0 : startOf(kms, matching, asked.pageToken);
  const items = matching.slice(from, from + limit);
  const last = items.at(-1);
  const more = last !== undefined && from + limit < matching.length;
  return {
    items,
    nextPageToken: more ? tokenOf(kms, last.name) : "",
    totalSize: asked.filter === "" ? all.length : 0,
  };
};

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** A token names the item after which the page begins. */
const tokenOf = (kms: KmsState, name: string): string => Buffer.from(`${kms.id}:${name}`).toString("base64url");

const startOf = (kms: KmsState, items: readonly { readonly name: string }[], token: string): number => {
  const at = items.findIndex(({ name }) => tokenOf(kms, name) === token);
  if (at === -1) throw invalidArgument("The page token is invalid.");
  return at + 1;
};

/** Terms `field=value` or `field:value` joined by AND, or all of them by OR; without parentheses. */
const matches = (filter: string, fields: Readonly<Record<string, string>>): boolean => {
  if (filter.trim() === "") return true;
  return filter.split(/\s+OR\s+/).some((group) => group.split(/\s+AND\s+/).every((term) => holds(term, fields)));
};

const holds = (term: string, fields: Readonly<Record<string, string>>): boolean => {
  const [, field = "", operator, quoted = ""] = /^\s*([\w.-]+)\s*(!=|=|:)\s*(.+?)\s*$/.exec(term) ?? [];
  if (operator === undefined) throw invalidArgument(`Invalid filter "${term}".`);
  const value = quoted.replaceAll(/^"|"$/g, "");
  const own = fields[field];
  if (own === undefined && !field.startsWith("labels.")) throw invalidArgument(`Invalid filter field "${field}".`);
  if (operator === ":") return own?.includes(value) ?? false;
  return operator === "=" ? own === value : own !== value;
};
