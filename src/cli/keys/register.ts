import type { Command } from "commander";
import { createNoun } from "../noun.ts";
import type { Session } from "../session.ts";
import { registerAlias } from "./alias.ts";
import { registerCreate } from "./create.ts";
import { registerExport } from "./export.ts";
import { registerExportWraps } from "./export-wraps.ts";
import { registerExposure } from "./exposure.ts";
import { registerImport } from "./import.ts";
import { registerLifecycle } from "./lifecycle.ts";
import { registerPublicKey } from "./public-key.ts";
import { registerRead } from "./read.ts";
import { registerRecipients } from "./recipients.ts";
import { registerUpdate } from "./update.ts";

export function registerKeys(program: Command, session: Session): void {
  const keys = createNoun(program, "keys", "keys and their lifecycle");
  registerRead(keys, session);
  registerPublicKey(keys, session);
  registerCreate(keys, session);
  registerUpdate(keys, session);
  registerLifecycle(keys, session);
  registerAlias(keys, session);
  registerExposure(keys, session);
  registerImport(keys, session);
  registerRecipients(keys, session);
  registerExport(keys, session);
  registerExportWraps(keys, session);
}
