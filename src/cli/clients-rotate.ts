import { type Command, Option } from "commander";
import { parseLength, parseTime } from "./arguments.ts";
import { activeCredentials, giveCredential, revokeCredentials } from "./credentials.ts";
import { EXIT, Failure } from "./failure.ts";
import { segment } from "./gateway.ts";
import { type DryRun, withDryRun } from "./noun.ts";
import type { Resource } from "./resource.ts";
import type { Session } from "./session.ts";

type RotateOptions = DryRun & {
  readonly revokeOld?: true;
  readonly overlap?: number;
  readonly expire?: string;
  readonly subject?: string;
};

const OVERLAP_SECONDS = 86_400;

export function registerRotate(clients: Command, session: Session): void {
  withDryRun(clients.command("rotate <client>"))
    .description("give a client a new credential, and end those of the same kind before it after an overlap")
    .addOption(
      new Option("--overlap <time>", "how long those before go on, such as 30m or 7d; 24h unless told").argParser(
        parseLength,
      ),
    )
    .addOption(new Option("--revoke-old", "revoke all before at once, of any kind").conflicts("overlap"))
    .option("--expire <time>", "until when the new one works", parseTime)
    .option("--subject <name>", "what its new certificate says, where it says another name than before")
    .action(async (name: string, options: RotateOptions) => {
      await rotate(session, name, options);
    });
}

async function rotate(session: Session, name: string, options: RotateOptions): Promise<void> {
  const { revokeOld, overlap = OVERLAP_SECONDS, expire, subject, dryRun } = options;
  const gateway = await session.gateway();
  const before = await gateway.get(`/v1/clients/${segment(name)}`);
  if (subject === undefined) requireApiKey(name, before);
  const overlapSeconds = revokeOld === true ? undefined : overlap;
  await giveCredential(session, { id: name, name }, { expireTime: expire, subject, overlapSeconds, dryRun });
  if (revokeOld === true) await revokeCredentials(session, before, { dryRun });
  else if (activeCredentials(before, subject === undefined ? "api-key" : "mtls").length > 0)
    await session.tell(ending(name, overlap));
}

/** A certificate is renewed where it was issued, and its subject stays: nothing of it is kept here. */
function requireApiKey(name: string, client: Resource): void {
  if (activeCredentials(client, "mtls").length === 0 || activeCredentials(client, "api-key").length > 0) return;
  throw new Failure(EXIT.refused, {
    what: `${name} has a certificate, and no API key to rotate`,
    code: "NOTHING_TO_ROTATE",
    why: "a certificate that is issued anew under the same name works at once",
    next: `issue it anew; for another name: npx claviger clients rotate ${name} --subject NAME`,
  });
}

function ending(name: string, seconds: number): string {
  if (seconds === 0) return "the credentials before it have ended";
  const length = seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds} s`;
  return `the credentials before it end in ${length}; npx claviger clients revoke ${name} CREDENTIAL ends one at once`;
}
