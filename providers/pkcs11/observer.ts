import type { Provider } from "#core/provider.ts";
import { readLabel } from "./label.ts";
import { described } from "./keys.ts";
import { observationOf } from "./observation.ts";
import { ask, type Tools } from "./tools.ts";

/** Shows keys as their attributes and labels say. Objects without a CKA_ID are not shown: nothing names them. */
export function pkcs11Observer(tools: Tools): Pick<Provider, "describe" | "list"> {
  const { facts } = tools;
  return {
    describe: async (ref, call) => observationOf(await described(tools, ref, call), facts),
    list: async function* list(call) {
      for (const entry of await ask(tools, call, "list", {})) {
        if (readLabel(entry.label)?.state !== "new") yield observationOf(entry, facts);
      }
    },
  };
}
