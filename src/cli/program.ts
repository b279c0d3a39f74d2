import { Command, Option } from "commander";
import { registerAudit } from "./audit.ts";
import { registerClients } from "./clients.ts";
import { registerCompletion } from "./completion.ts";
import { registerDataKey } from "./data-key.ts";
import { registerDecrypt } from "./decrypt.ts";
import { registerDoctor } from "./doctor.ts";
import { registerEncrypt } from "./encrypt.ts";
import { registerKeys } from "./keys/register.ts";
import { registerOpen, registerServe, registerVersion } from "./local.ts";
import { registerNamespaces } from "./namespaces.ts";
import { OUTPUT_FORMATS } from "./output.ts";
import { registerPolicy } from "./policy.ts";
import { registerInventory } from "./inventory.ts";
import { registerProviders } from "./providers.ts";
import { registerRandom } from "./random.ts";
import { registerReencrypt } from "./reencrypt.ts";
import type { Session } from "./session.ts";
import { registerMacs, registerSignatures } from "./signature.ts";
import { registerStatus } from "./status.ts";
import { commandVersion } from "./version.ts";

/** The program alone, with the options that every command takes. Help goes to `writeHelp`; complaints are thrown, and told elsewhere. */
export function createProgram(writeHelp: (text: string) => void): Command {
  return new Command("npx claviger")
    .description("One endpoint for every key")
    .version(commandVersion(), "-V, --version", "print the version of this command")
    .option("--address <url>", "the gateway; else CLAVIGER_ADDR, ~/.config/claviger/client.json, ./data/client.json")
    .option("--cacert <file>", "the authority of its certificate (PEM); else CLAVIGER_CACERT, and as above")
    .option("--namespace <name>", "the namespace; else CLAVIGER_NAMESPACE, and as above")
    .addOption(new Option("-o, --output <format>", "how results are written").choices(OUTPUT_FORMATS).default("table"))
    .configureOutput({ writeOut: writeHelp, writeErr: ignore, outputError: ignore })
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 });
}

function ignore(): void {
  // on purpose
}

/** Gives the program its commands, in the order in which help lists them. */
export function registerCommands(program: Command, session: Session): void {
  registerServe(program, session);
  registerDoctor(program, session);
  registerStatus(program, session);
  registerEncrypt(program, session);
  registerDecrypt(program, session);
  registerReencrypt(program, session);
  registerSignatures(program, session);
  registerMacs(program, session);
  registerDataKey(program, session);
  registerRandom(program, session);
  registerKeys(program, session);
  registerProviders(program, session);
  registerInventory(program, session);
  registerPolicy(program, session);
  registerAudit(program, session);
  registerClients(program, session);
  registerNamespaces(program, session);
  registerOpen(program, session);
  registerCompletion(program, session);
  registerVersion(program, session);
}
