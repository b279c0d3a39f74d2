import type { Command } from "commander";
import { EXIT, Failure } from "./failure.ts";
import type { Gateway } from "./gateway.ts";
import { type StatusLine, type StatusReport, statusReport } from "./status-report.ts";
import type { Session } from "./session.ts";
import { renderRowsOf } from "./table.ts";
import { showOrWatch } from "./watch.ts";

/** One screen: what is broken, who is hurt, what is being done. */
export function registerStatus(program: Command, session: Session): void {
  program
    .command("status")
    .description("show what is broken, who is hurt, and what is being done; exit 3 while the gateway is not ready")
    .option("--watch", "show again every two seconds")
    .action(async ({ watch = false }: { readonly watch?: boolean }) => {
      const gateway = await session.gateway();
      let last: StatusReport | undefined;
      await showOrWatch(session, watch, async () => {
        last = await readStatus(gateway);
        await session.printData(last, statusText(session, gateway, last));
      });
      if (last?.ready === false) throw notReady(last);
    });
}

async function readStatus(gateway: Gateway): Promise<StatusReport> {
  const { body: readiness } = await gateway.ask("/readyz");
  const providers = await Array.fromAsync(gateway.list("/v1/providers"));
  const keys = await Array.fromAsync(gateway.list("/v1/keys", { limit: "1000" }));
  return statusReport({ readiness, providers, keys });
}

function statusText(session: Session, gateway: Gateway, report: StatusReport): string {
  const state = session.paint(report.ready ? "ready" : "not ready");
  const section = (title: string, lines: readonly StatusLine[]): string => {
    if (lines.length === 0) return `\n${title}\n  nothing\n`;
    const rows = renderRowsOf(
      lines,
      [
        ["", "subject"],
        ["", "detail"],
      ],
      session.paint,
    );
    return `\n${title}\n${rows.replaceAll(/^/gmu, "  ").trimEnd()}\n`;
  };
  return [
    `${gateway.address.origin} is ${state}; providers: ${report.providers}, keys: ${report.keys}\n`,
    section("BROKEN", report.broken),
    section("HURT", report.hurt),
    section("BEING DONE", report.doing),
  ].join("");
}

function notReady(report: StatusReport): Failure {
  return new Failure(EXIT.unavailable, {
    what: "the gateway is not ready",
    code: "NOT_READY",
    why: report.broken[0]?.detail ?? "it does not say why",
    next: "npx claviger doctor looks closer",
  });
}
