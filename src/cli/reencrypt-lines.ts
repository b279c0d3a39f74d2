import { EXIT, Failure } from "./failure.ts";
import { itemProblem } from "./problem.ts";
import { type LineRequest, type LineRules, type ParsedLine, parseLine } from "./reencrypt-line.ts";
import { type Resource, resourcesAt, textAt, valueAt, isResource } from "./resource.ts";
import type { Session } from "./session.ts";
import { type InputLine, splitInput } from "./split-lines.ts";
import { printable } from "./text.ts";

export type LinesJob = { readonly path: string; readonly sourceKey: string | undefined; readonly rules: LineRules };

/** A batch stays well under the body that a gateway takes (1 MiB unless configured), and under its 1,000 items. */
const BATCH = { items: 500, bytes: 256 * 1024 } as const;

type NumberedLine = { readonly number: number; readonly line: InputLine; readonly parsed: ParsedLine };

/**
 * Re-encrypts line by line, in order, a batch at a time. A line that fails is written as it was, so that the output has the input's lines
 * and can be given in again.
 *
 * @throws {Failure} `partial` at the end if lines failed; what the gateway says where it refuses a whole batch: nothing after is written
 */
export async function reencryptLines(session: Session, input: AsyncIterable<Buffer>, job: LinesJob): Promise<void> {
  const total = { lines: 0, failed: 0 };
  let batch: NumberedLine[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    total.failed += await reencryptBatch(session, batch, job);
    [batch, bytes] = [[], 0];
  };
  for await (const line of splitInput(input)) {
    if (batch.length >= BATCH.items || (batch.length > 0 && bytes + line.bytes.length > BATCH.bytes)) await flush();
    total.lines += 1;
    batch.push({ number: total.lines, line, parsed: parseLine(line, job.rules) });
    bytes += line.bytes.length;
  }
  await flush();
  if (total.failed > 0) throw partialFailure(total);
}

/** Resolves with the number of lines that failed. */
async function reencryptBatch(session: Session, batch: readonly NumberedLine[], job: LinesJob): Promise<number> {
  const sent = batch.flatMap(({ parsed }) => (parsed.kind === "request" ? [parsed.request] : []));
  const answers = sent.length === 0 ? [] : await askForBatch(session, sent, job);
  const output: Buffer[] = [];
  let [failed, taken] = [0, 0];
  for (const { number, line, parsed } of batch) {
    const outcome = parsed.kind === "request" ? outcomeOf(parsed.request, answers[taken++]) : parsed;
    if (outcome.kind === "bad") {
      failed += 1;
      await session.tell(printable(`line ${number} is unchanged: ${outcome.why}`));
    }
    output.push(outcome.kind === "done" ? Buffer.from(outcome.text) : line.bytes, Buffer.from(line.end));
  }
  await session.print(Buffer.concat(output));
  return failed;
}

async function askForBatch(
  session: Session,
  requests: readonly LineRequest[],
  { path, sourceKey }: LinesJob,
): Promise<readonly Resource[]> {
  const gateway = await session.gateway();
  const items = requests.map(({ ciphertext, context }) => ({ ciphertext, context, sourceKey }));
  const answers = resourcesAt(await gateway.operate(path, { items }), "items");
  if (answers.length === items.length) return answers;
  throw new Failure(EXIT.refused, {
    what: "the answer does not fit the request",
    code: "INTERNAL",
    why: `wanted ${items.length} items, got ${answers.length}`,
    next: "nothing of this batch was written; tell the people who run the gateway",
  });
}

type Outcome = { readonly kind: "done"; readonly text: string } | { readonly kind: "bad"; readonly why: string };

function outcomeOf(request: LineRequest, answer: Resource | undefined): Outcome {
  const ciphertext = answer === undefined ? undefined : textAt(answer, "ciphertext");
  if (ciphertext !== undefined) return { kind: "done", text: request.withCiphertext(ciphertext) };
  const error = answer === undefined ? undefined : valueAt(answer, "error");
  return { kind: "bad", why: isResource(error) ? itemProblem(error) : "no answer" };
}

function partialFailure({ lines, failed }: { readonly lines: number; readonly failed: number }): Failure {
  return new Failure(EXIT.partial, {
    what: `${failed} of ${lines} lines were not re-encrypted`,
    code: "PARTIAL",
    why: "each is told above, and is in the output as it was",
    next: "mend them, or give the output in again",
  });
}
