import { badParameter } from "./failure.ts";
import type { Operation, Result } from "./operation.ts";
import { deletionOf, itemOf } from "./render.ts";
import { liveKey, seenVersions, type VaultKey, type VaultState } from "./state.ts";

const MOST = 25;

const page = (
  vault: VaultState,
  {
    items,
    path,
    query,
  }: { readonly items: readonly unknown[]; readonly path: string; readonly query: URLSearchParams },
): Result => {
  const size = Number(query.get("maxresults") ?? MOST);
  const from = Number(query.get("$skiptoken") ?? 0);
  if (!Number.isInteger(size) || size < 1 || size > MOST) throw badParameter("Invalid value for maxresults");
  if (!Number.isInteger(from) || from < 0) throw badParameter("Invalid value for $skiptoken");
  const next = new URLSearchParams(query);
  next.set("$skiptoken", String(from + size));
  const more = from + size < items.length;
  return { value: items.slice(from, from + size), nextLink: more ? `${vault.url()}${path}?${next.toString()}` : null };
};

const latestItem = (vault: VaultState, key: VaultKey): readonly Readonly<Record<string, unknown>>[] => {
  const version = seenVersions(vault, key).at(-1);
  return version === undefined ? [] : [itemOf(vault, key, { version, versioned: false })];
};

const listKeys: Operation = (vault, { query }) => {
  const live = [...vault.keys.values()].filter(({ deletion }) => deletion === undefined);
  return page(vault, { items: live.flatMap((key) => latestItem(vault, key)), path: "/keys", query });
};

const listVersions: Operation = (vault, { name, query }) => {
  const key = liveKey(vault, name);
  const items = seenVersions(vault, key).map((version) => itemOf(vault, key, { version, versioned: true }));
  return page(vault, { items, path: `/keys/${key.name}/versions`, query });
};

const listDeleted: Operation = (vault, { query }) => {
  const gone = [...vault.keys.values()].filter(({ deletion }) => vault.now() >= (deletion?.doneMs ?? Infinity));
  const items = gone.flatMap((key) => latestItem(vault, key).map((item) => ({ ...item, ...deletionOf(vault, key) })));
  return page(vault, { items, path: "/deletedkeys", query });
};

export const LISTS: Readonly<Record<string, Operation>> = {
  GetKeys: listKeys,
  GetKeyVersions: listVersions,
  GetDeletedKeys: listDeleted,
};
