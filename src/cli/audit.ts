import { type Command, Option } from "commander";
import { collect, parseTime, parseWhole } from "./arguments.ts";
import { AUDIT_VIEW, traceText } from "./audit-view.ts";
import { EXIT, Failure } from "./failure.ts";
import { followTrail } from "./follow-trail.ts";
import { segment } from "./gateway.ts";
import { createNoun, listingVerb } from "./noun.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";
import { verdictText } from "./verdict-text.ts";

type Filters = {
  readonly key?: string;
  readonly client?: string;
  readonly operation?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
};

/** What happened, who did it, and whether the trail still says so. */
export function registerAudit(program: Command, session: Session): void {
  const audit = createNoun(program, "audit", "what happened, and the proof of it");
  withFilters(audit.command("tail").description("show the latest events, the newest last"))
    .option("-f, --follow", "and go on with what happens")
    .option("-n, --lines <n>", "how many; 20 unless told", parseWhole)
    .action(async ({ follow = false, lines = 20, ...filters }: Filters & { follow?: boolean; lines?: number }) => {
      await followTrail(session, { filters: await resolved(session, filters), follow, count: lines });
    });
  withFilters(listingVerb(audit, "list events, the oldest first"))
    .option("--limit <n>", "no more than the N newest; 1000 unless told", parseWhole)
    .action(async ({ limit = 1000, ...filters }: Filters & { limit?: number }) => {
      await followTrail(session, { filters: await resolved(session, filters), follow: false, count: limit });
    });
  audit
    .command("trace <request-id>")
    .description("show what one request did, with each provider's own request id")
    .action(async (requestId: string) => {
      await trace(session, requestId);
    });
  registerVerify(audit, session);
}

function withFilters(command: Command): Command {
  return command
    .option("--key <key>", "only events of this key")
    .option("--client <client>", "only what this client did")
    .option("--operation <operation>", "only this operation, such as encrypt or keys.create")
    .option("--outcome <outcome>", "only with this outcome: ok, or a code")
    .addOption(new Option("--since <time>", "only from this time on").argParser(parseTime))
    .addOption(new Option("--until <time>", "only up to this time").argParser(parseTime));
}

/** The trail names keys by id. */
async function resolved(session: Session, filters: Filters): Promise<Filters> {
  if (filters.key === undefined || filters.key.startsWith("key_")) return filters;
  const gateway = await session.gateway();
  const id = textAt(await gateway.get(`/v1/keys/${segment(filters.key)}`), "id");
  return id === undefined ? filters : { ...filters, key: id };
}

async function trace(session: Session, requestId: string): Promise<void> {
  const gateway = await session.gateway();
  const events = await Array.fromAsync(gateway.list("/v1/audit", { requestId }));
  if (events.length === 0) {
    throw new Failure(EXIT.refused, {
      what: `no event of request ${requestId}`,
      code: "NOT_FOUND",
      why: "the trail that you may read has none",
      next: "look at the spelling: npx claviger audit tail shows the latest",
    });
  }
  const inOrder = events.toReversed();
  if (session.format === "table") await session.print(inOrder.map(traceText).join("\n"));
  else await session.printList(inOrder, AUDIT_VIEW);
}

type VerifyOptions = { readonly publicKey?: readonly string[]; readonly anchor?: readonly string[] };

function registerVerify(audit: Command, session: Session): void {
  audit
    .command("verify [path]")
    .description(
      "check a trail offline: every record, link and signature; exit 1 if anything is wrong (data/audit unless told)",
    )
    .option(
      "--public-key <file>",
      "a public key that signed it (PEM), kept apart from the trail; repeat for more",
      collect,
    )
    .option("--anchor <file>", "a file to which it was anchored; repeat for more", collect)
    .action(async (path: string | undefined, { publicKey = [], anchor = [] }: VerifyOptions) => {
      const folder = path ?? "data/audit";
      const verdict = await session.offline.verifyAudit({ folder, publicKeys: publicKey, anchors: anchor });
      await session.printData(verdict, verdictText(verdict));
      if (verdict.ok) return;
      throw new Failure(EXIT.refused, {
        what: `${folder} is not as it was written`,
        code: "AUDIT_NOT_VERIFIED",
        why: "what is wrong is told above",
        next: "keep the folder as it is, and tell whoever answers for the trail",
      });
    });
}
