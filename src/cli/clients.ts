import { type Command, Option } from "commander";
import { KEY_OPERATIONS } from "#core/purposes.ts";
import { ROLES } from "#core/records.ts";
import { collectList, collectPairs, type Pairs, pairsObject, parseTime } from "./arguments.ts";
import { registerCan } from "./clients-can.ts";
import { registerRotate } from "./clients-rotate.ts";
import { giveCredential, revokeCredentials } from "./credentials.ts";
import { Failure, usageFailure } from "./failure.ts";
import { segment } from "./gateway.ts";
import { createNoun, type DryRun, listingVerb, withDryRun } from "./noun.ts";
import { resourcesAt, textAt } from "./resource.ts";
import { createServices } from "./services/create-services.ts";
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
    [
      "LAST USED",
      (client) =>
        resourcesAt(client, "credentials")
          .flatMap((one) => textAt(one, "lastUseTime") ?? [])
          .toSorted()
          .at(-1),
    ],
    ["EXPIRES", "expireTime"],
    ["ID", "id"],
  ],
};

type CreateOptions = DryRun & {
  readonly from?: string;
  readonly out?: string;
  readonly role?: string;
  readonly keys?: readonly string[];
  readonly allow?: readonly string[];
  readonly contextEquals?: Pairs;
  readonly expire?: string;
  readonly subject?: string;
};

/** Who may ask, and with which credentials. */
export function registerClients(program: Command, session: Session): void {
  const clients = createNoun(program, "clients", "who may use the gateway, and their credentials");
  listingVerb(clients, "list the clients of the namespace").action(async () => {
    const gateway = await session.gateway();
    await session.printList(await Array.fromAsync(gateway.list("/v1/clients")), CLIENT_VIEW);
  });
  registerCreate(clients, session);
  registerRotate(clients, session);
  withDryRun(clients.command("revoke <client> [credential]"))
    .description("revoke one credential of a client, or all that are active")
    .action(async (client: string, credential: string | undefined, { dryRun }: DryRun) => {
      const gateway = await session.gateway();
      await revokeCredentials(session, await gateway.get(`/v1/clients/${segment(client)}`), { credential, dryRun });
      const after = await gateway.get(`/v1/clients/${segment(client)}`);
      await session.printList([after], CLIENT_VIEW);
    });
  registerCan(clients, session);
}

function registerCreate(clients: Command, session: Session): void {
  withDryRun(clients.command("create [name]"))
    .description("create a client and print its API key, once; or every client of a file")
    .addOption(new Option("--role <role>", "what it may read and change; user unless told").choices(ROLES))
    .option("--keys <globs>", "the keys that it may use, such as app-*; all unless told; repeat for more", collectList)
    .option(
      "--allow <operations>",
      `what it may do with them, or *: ${Object.keys(KEY_OPERATIONS).join(", ")}`,
      collectList,
    )
    .option("--context-equals <k=v>", "only with this in the context; repeat for more", collectPairs)
    .option("--expire <time>", "until when it may", parseTime)
    .option("--subject <name>", "what its certificate says: a spiffe:// id or CN=…,O=…; it gets no API key then")
    .addOption(
      new Option("--from <file>", "the clients of a YAML list of {name, role, keys, allow, credential, …}").conflicts([
        "role",
        "keys",
        "allow",
        "contextEquals",
        "expire",
        "subject",
      ]),
    )
    .option("--out <folder>", "where the API keys of --from go, a file each")
    .action(async (name: string | undefined, options: CreateOptions) => {
      const { from, out } = options;
      if (from !== undefined) {
        if (name !== undefined) throw usageFailure("a name and a file", "give the name of one client, or --from");
        await createServices(session, { ...options, from });
        return;
      }
      if (name === undefined) throw usageFailure("no client is named", "give a name, or a file of clients with --from");
      if (out !== undefined) throw usageFailure("--out is for --from", "write the API key where stdout goes");
      await createClient(session, name, options);
    });
}

async function createClient(session: Session, name: string, options: CreateOptions): Promise<void> {
  const { role, keys, allow = [], contextEquals, expire, subject, dryRun } = options;
  const gateway = await session.gateway();
  const body = { name, role, keys, allow, contextEquals: pairsObject(contextEquals), expireTime: expire };
  const client = await gateway.change("POST", "/v1/clients", body, { dryRun });
  if (dryRun === true) await session.printList([client], CLIENT_VIEW);
  else await giveFirstCredential(session, { id: textAt(client, "id") ?? name, name }, subject);
  if (allow.length === 0) {
    await session.tell(`note: ${name} may do nothing with any key: no operation was given with --allow`);
  }
}

/** The client exists by now; whoever sees its credential fail must know. */
async function giveFirstCredential(
  session: Session,
  client: { readonly id: string; readonly name: string },
  subject: string | undefined,
): Promise<void> {
  try {
    await giveCredential(session, client, { subject });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const again = subject === undefined ? "--revoke-old gives it an API key" : "--subject NAME gives it a certificate";
    const next = `the client exists: npx claviger clients rotate ${client.name} ${again}`;
    throw new Failure(error.exitCode, { ...error.text, next }, error);
  }
}
