import type { Command } from "commander";
import { collectList } from "./arguments.ts";
import { EXIT, Failure } from "./failure.ts";
import { createNoun } from "./noun.ts";
import { renderData } from "./output.ts";
import { explanationText } from "./explanation-text.ts";
import { readInput } from "./read-input.ts";
import { numberAt, resourcesAt, textAt, valueAt } from "./resource.ts";
import type { Session } from "./session.ts";
import { printable } from "./text.ts";

/** The policy as it runs: shown, checked, explained; never written. */
export function registerPolicy(program: Command, session: Session): void {
  const policy = createNoun(program, "policy", "which provider does what, and why");
  policy
    .command("show")
    .description("show the routes and providers that the gateway runs")
    .action(async () => {
      const gateway = await session.gateway();
      const running = await gateway.get("/v1/policy");
      await session.printData(
        running,
        session.format === "name" ? `${textAt(running, "policyHash") ?? ""}\n` : renderData(running, "yaml"),
      );
    });
  policy
    .command("validate <file>")
    .description("tell what a configuration has wrong, a line each; exit 1 if anything is")
    .action(async (file: string) => {
      await validate(session, file);
    });
  registerExplain(policy, session);
}

async function validate(session: Session, file: string): Promise<void> {
  const text = (await readInput(session.io, file)).toString("utf8");
  const gateway = await session.gateway();
  const verdict = await gateway.operate("/v1/policy/validate", text);
  const problems = resourcesAt(verdict, "problems").map((problem) => {
    const place = `${file}:${numberAt(problem, "line") ?? 0}:${numberAt(problem, "column") ?? 0}`;
    return printable(`${place}: ${textAt(problem, "message") ?? ""}`);
  });
  const valid = valueAt(verdict, "valid") === true;
  await session.printData(
    verdict,
    valid ? `${printable(file)} is valid\n` : problems.map((line) => `${line}\n`).join(""),
  );
  if (valid) return;
  throw new Failure(EXIT.refused, {
    what: `${file} is not valid`,
    code: "INVALID_POLICY",
    why: problems.length === 1 ? "one thing is wrong" : `${problems.length} things are wrong`,
    next: "mend them; a gateway that gets it keeps the policy that it has",
  });
}

type ExplainOptions = {
  readonly without?: readonly string[];
  readonly drained?: readonly string[];
  readonly throttled?: readonly string[];
};

function registerExplain(policy: Command, session: Session): void {
  policy
    .command("explain <operation> <key>")
    .description("tell what an operation on a key would do now, and why; nothing is called")
    .option("--without <provider>", "as if it were down; repeat for more", collectList)
    .option("--drained <provider>", "as if it were drained; repeat for more", collectList)
    .option("--throttled <provider>", "as if it throttled; repeat for more", collectList)
    .action(async (operation: string, key: string, { without, drained, throttled }: ExplainOptions) => {
      const gateway = await session.gateway();
      const assume = { down: without, drained, throttled };
      const explanation = await gateway.operate("/v1/policy/explain", { operation, key, assume });
      await session.printData(explanation, explanationText(explanation));
    });
}
