import type { Command } from "commander";
import { EXIT, Failure } from "../failure.ts";
import { segment } from "../gateway.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import { numberAt, textAt, textsAt } from "../resource.ts";
import type { Session } from "../session.ts";
import { KEY_VIEW } from "./view.ts";

/** add · remove · move */
export function registerAlias(keys: Command, session: Session): void {
  const alias = keys.command("alias").description("other names of keys");
  const changing = (name: string, description: string): Command =>
    withDryRun(alias.command(name).description(description));
  changing("add <key> <alias>", "give a key one more name").action(
    async (key: string, added: string, { dryRun }: DryRun) => {
      await changeAliases(session, key, {
        dryRun,
        change: (aliases) => [...aliases.filter((name) => name !== added), added],
      });
    },
  );
  changing("remove <key> <alias>", "take an alias away from a key").action(
    async (key: string, removed: string, { dryRun }: DryRun) => {
      await changeAliases(session, key, {
        dryRun,
        change: (aliases) => {
          if (!aliases.includes(removed)) throw notAnAlias(key, removed);
          return aliases.filter((name) => name !== removed);
        },
      });
    },
  );
  changing("move <alias> <key>", "move an alias to KEY from the key that has it, in one step").action(
    async (moved: string, key: string, { dryRun }: DryRun) => {
      const gateway = await session.gateway();
      const holder = await gateway.get(`/v1/keys/${segment(moved)}`);
      const body = { from: textAt(holder, "id"), to: key };
      await session.printList(
        [await gateway.change("POST", `/v1/aliases/${segment(moved)}/move`, body, { dryRun })],
        KEY_VIEW,
      );
    },
  );
}

type AliasChange = DryRun & { readonly change: (aliases: readonly string[]) => readonly string[] };

/** A change of the whole list, refused where somebody changed the key meanwhile. */
async function changeAliases(session: Session, key: string, { dryRun, change }: AliasChange): Promise<void> {
  const path = `/v1/keys/${segment(key)}`;
  const gateway = await session.gateway();
  const current = await gateway.get(path);
  const body = { aliases: change(textsAt(current, "aliases")) };
  const changed = await gateway.change("PATCH", path, body, { dryRun, generation: numberAt(current, "generation") });
  await session.printList([changed], KEY_VIEW);
}

function notAnAlias(key: string, alias: string): Failure {
  return new Failure(EXIT.refused, {
    what: `${key} has no alias ${alias}`,
    code: "NOT_FOUND",
    why: "it is not in the key's list of aliases",
    next: `npx claviger keys show ${key} tells its aliases`,
  });
}
