import type { Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, currentKey, historyMutation, keyMutation } from "./change-key.ts";
import { keyNotFound, resolveKey } from "./key-reference.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";

const MAX_ALIASES = 16;

/** Moves an alias from one key to another in one transaction; answers the key that has it now. */
export async function moveAlias(
  parts: BrokerParts,
  caller: Caller,
  { alias, from, to }: { readonly alias: string; readonly from: string; readonly to: string },
): Promise<Changed<KeyView>> {
  const source = (await resolveKey(parts, caller, from)).key;
  return await changeKey(parts, caller, to, {
    action: "move-alias",
    permission: "keys.change",
    explanation: { detail: `alias ${alias} from ${source.id}` },
    decide: (target, catalog, now) => {
      const holder = currentKey(catalog, source.id);
      if (target.id === holder.id || target.aliases.includes(alias)) return { next: target, unchanged: true };
      if (!holder.aliases.includes(alias)) throw keyNotFound();
      if (target.aliases.length >= MAX_ALIASES) {
        throw new KmsError(
          "INVALID_ARGUMENT",
          `aliases: wanted at most ${MAX_ALIASES}, the key has ${target.aliases.length}`,
        );
      }
      const left: KeyRecord = {
        ...holder,
        aliases: holder.aliases.filter((name) => name !== alias),
        generation: holder.generation + 1,
        updateTime: now,
      };
      const mutations: readonly Mutation[] = [
        keyMutation(catalog, left),
        historyMutation(caller, holder, left, {
          action: "move-alias",
          explanation: { detail: `alias ${alias} to ${target.id}` },
        }),
      ];
      return { next: { ...target, aliases: [...target.aliases, alias] }, mutations };
    },
  });
}
