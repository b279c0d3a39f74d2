import type { Catalog, Mutation } from "#core/catalog.ts";
import type { KeyRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import { historyMutation, keyMutation } from "./change-key.ts";

/** What a change writes beside a new key, for it to have its names. */
export type Release = (catalog: Catalog, key: KeyRecord) => readonly Mutation[];

/** Takes nothing from anybody. */
export const releaseNothing: Release = () => [];

/**
 * Destroyed keys give up the names that a new key is to have, with `reuseName` (keys.md, Names): one whose own name it was goes by its
 * id, which no name can be.
 */
export function releaseNames(caller: Caller): Release {
  return (catalog, { namespace, name, aliases, createTime }) => {
    const wanted = new Set([name, ...aliases]);
    const holders = new Set([...wanted].map((text) => catalog.keyByName(namespace, text)));
    return [...holders].flatMap((before) => {
      if (before?.state !== "destroyed") return []; // the names of any other key are taken
      const after: KeyRecord = {
        ...before,
        name: wanted.has(before.name) ? before.id : before.name,
        aliases: before.aliases.filter((text) => !wanted.has(text)),
        generation: before.generation + 1,
        updateTime: createTime,
      };
      const explanation = { detail: "a new key has its name" };
      return [
        keyMutation(catalog, after),
        historyMutation(caller, before, after, { action: "release-name", explanation }),
      ];
    });
  };
}
