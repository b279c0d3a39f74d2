import type { Command } from "commander";
import { Failure, EXIT } from "./failure.ts";
import { segment } from "./gateway.ts";
import { clientFileFindings, gatewayFindings, unreachable } from "./doctor-findings.ts";
import { withFolder } from "./local.ts";
import type { DoctorOptions, Finding } from "./offline-commands.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";
import type { View } from "./table.ts";

const FINDING_VIEW: View = {
  name: "check",
  columns: [
    ["RESULT", "result"],
    ["CHECK", "check"],
    ["DETAIL", "detail"],
  ],
};

/** Looks at what may go wrong before it does: at the gateway where one runs, and at the configuration and the data folder here. */
export function registerDoctor(program: Command, session: Session): void {
  withFolder(program.command("doctor [provider]"))
    .description("look at the gateway, or at its configuration where none runs; exit 1 if something is wrong")
    .action(async (provider: string | undefined, options: Omit<DoctorOptions, "provider">) => {
      const findings = await examine(session, { ...options, ...(provider !== undefined && { provider }) });
      await session.printList(findings, FINDING_VIEW);
      const failed = findings.filter(({ result }) => result === "fail");
      if (failed.length > 0) throw unhealthy(failed);
    });
}

async function examine(session: Session, options: DoctorOptions): Promise<readonly Finding[]> {
  const { home, cwd } = session.io;
  const local = [...(await clientFileFindings({ home, cwd })), ...(await session.offline.doctor(options))];
  try {
    const gateway = await session.gateway();
    const { provider } = options;
    if (provider !== undefined) {
      const probed = await gateway.change("POST", `/v1/providers/${segment(provider)}/probe`, {});
      local.push({
        check: `probe of ${provider}`,
        result: textAt(probed, "status") === "up" ? "ok" : "fail",
        detail: [textAt(probed, "status"), textAt(probed, "statusReason")]
          .filter((part) => part !== undefined)
          .join(": "),
      });
    }
    const running = await gatewayFindings(gateway, session.sources.now());
    // What runs says more than what is written down.
    return [...local.filter(({ check }) => !running.some((finding) => finding.check === check)), ...running];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [...local, unreachable(error)];
  }
}

function unhealthy(failed: readonly Finding[]): Failure {
  return new Failure(EXIT.refused, {
    what: failed.length === 1 ? "one thing is wrong" : `${failed.length} things are wrong`,
    code: "UNHEALTHY",
    why: failed[0]?.detail ?? "see above",
    next: "mend what is marked fail above, and look again",
  });
}
