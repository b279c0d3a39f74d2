import { type Command, Option } from "commander";
import { KEY_OPERATIONS } from "#core/purposes.ts";
import { ROLES } from "#core/records.ts";
import { collectList, collectPairs, type Pairs, pairsObject, parseTime } from "./arguments.ts";
import { giveCredential, revokeCredentials } from "./credentials.ts";
import { Failure } from "./failure.ts";
import { segment } from "./gateway.ts";
import { createNoun, type DryRun, listingVerb, withDryRun } from "./noun.ts";
import { resourcesAt, textAt } from "./resource.ts";
import type { Session } from "./session.ts";
import type { View } from "./table.ts";

const CLIENT_VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["ROLE", "role"],
    ["KEYS", "keys"],
    ["ALLOW", "allow"],
    ["CREDENTIALS", (client) => resourcesAt(client, "credentials").filter(({ state }) => state === "active").length],
    ["EXPIRES", "expireTime"],
    ["ID", "id"],
  ],
};

type CreateOptions = DryRun & {
  readonly role?: string;
  readonly keys?: readonly string[];
  readonly allow?: readonly string[];
  readonly contextEquals?: Pairs;
  readonly expire?: string;
};

/** Who may ask, and with which credentials. */
export function registerClients(program: Command, session: Session): void {
  const clients = createNoun(program, "clients", "who may use the gateway, and their credentials");
  listingVerb(clients, "list the clients of the namespace").action(async () => {
    const gateway = await session.gateway();
    await session.printList(await Array.fromAsync(gateway.list("/v1/clients")), CLIENT_VIEW);
  });
  withDryRun(clients.command("create <name>"))
    .description("create a client and print its API key, once")
    .addOption(new Option("--role <role>", "what it may read and change; user unless told").choices(ROLES))
    .option("--keys <globs>", "the keys that it may use, such as app-*; all unless told; repeat for more", collectList)
    .option(
      "--allow <operations>",
      `what it may do with them, or *: ${Object.keys(KEY_OPERATIONS).join(", ")}`,
      collectList,
    )
    .option("--context-equals <k=v>", "only with this in the context; repeat for more", collectPairs)
    .option("--expire <time>", "until when it may", parseTime)
    .action(async (name: string, options: CreateOptions) => {
      await createClient(session, name, options);
    });
  withDryRun(clients.command("rotate <client>"))
    .description("give a client a new API key and print it, once; those before go on to work")
    .option("--revoke-old", "revoke those before at once")
    .option("--expire <time>", "until when it works", parseTime)
    .action(
      async (
        client: string,
        { revokeOld = false, expire, dryRun }: DryRun & { revokeOld?: boolean; expire?: string },
      ) => {
        const gateway = await session.gateway();
        const before = await gateway.get(`/v1/clients/${segment(client)}`);
        await giveCredential(session, { id: client, name: client }, { expireTime: expire, dryRun });
        if (revokeOld) await revokeCredentials(session, before, { dryRun });
        else
          await session.tell(
            `the credentials before go on to work; npx claviger clients revoke ${client} CREDENTIAL ends one`,
          );
      },
    );
  withDryRun(clients.command("revoke <client> [credential]"))
    .description("revoke one credential of a client, or all that are active")
    .action(async (client: string, credential: string | undefined, { dryRun }: DryRun) => {
      const gateway = await session.gateway();
      await revokeCredentials(session, await gateway.get(`/v1/clients/${segment(client)}`), { credential, dryRun });
      const after = await gateway.get(`/v1/clients/${segment(client)}`);
      await session.printList([after], CLIENT_VIEW);
    });
}

async function createClient(session: Session, name: string, options: CreateOptions): Promise<void> {
  const { role, keys, allow = [], contextEquals, expire, dryRun } = options;
  const gateway = await session.gateway();
  const body = { name, role, keys, allow, contextEquals: pairsObject(contextEquals), expireTime: expire };
  const client = await gateway.change("POST", "/v1/clients", body, { dryRun });
  if (dryRun === true) await session.printList([client], CLIENT_VIEW);
  else await giveFirstCredential(session, textAt(client, "id") ?? name, name);
  if (allow.length === 0) {
    await session.tell(`note: ${name} may do nothing with any key: no operation was given with --allow`);
  }
}

/** The client exists by now; whoever sees its credential fail must know. */
async function giveFirstCredential(session: Session, id: string, name: string): Promise<void> {
  try {
    await giveCredential(session, { id, name }, {});
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const next = `the client exists: npx claviger clients rotate ${name} --revoke-old gives it an API key`;
    throw new Failure(error.exitCode, { ...error.text, next }, error);
  }
}
