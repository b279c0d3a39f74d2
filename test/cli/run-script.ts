import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { type OfflineCommands, runCommand } from "#cli/command.ts";
import { matches, parsePipeline, parseScript, type Stage } from "./script.ts";

export type ScriptTarget = {
  /** Where the gateway is, and who asks: CLAVIGER_ADDR, CLAVIGER_API_KEY, CLAVIGER_CACERT. */
  readonly environment: Readonly<Record<string, string>>;
  /** What $DATA in a script stands for. */
  readonly data: string;
  readonly offline: OfflineCommands;
};

/** What a script's commands did, next to what it says they do; equal where it fits. */
export type Transcript = { readonly expected: string; readonly actual: string };

type Shell = { readonly folder: string; readonly target: ScriptTarget };
type Output = { readonly stdout: Buffer; readonly stderr: string; readonly code: number };

/** Runs a script in a folder of its own, and writes down what each command did where that differs from the script. */
export async function runScript(text: string, target: ScriptTarget): Promise<Transcript> {
  const folder = await mkdtemp(join(tmpdir(), "claviger-script-"));
  try {
    const [expected, actual]: [string[], string[]] = [[], []];
    for (const step of parseScript(text)) {
      if (step.kind === "file") {
        await writeFile(join(folder, step.name), step.content);
        continue;
      }
      const lines = outputLines(await runPipeline(step.text, { folder, target }));
      const head = `line ${step.line}: $ ${step.text}`;
      expected.push(head, ...step.expected);
      actual.push(head, ...(matches(step.expected, lines) ? step.expected : lines));
    }
    return { expected: expected.join("\n"), actual: actual.join("\n") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function outputLines({ stdout, stderr, code }: Output): readonly string[] {
  const lines = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\n$/u, "").split("\n"));
  return [
    ...lines(stdout.toString("utf8")),
    ...lines(stderr).map((line) => `! ${line}`),
    ...(code === 0 ? [] : [`? ${code}`]),
  ];
}

async function runPipeline(text: string, shell: Shell): Promise<Output> {
  const { stages, input, output } = parsePipeline(text);
  let stdin: Buffer | undefined = input === undefined ? undefined : await readFile(join(shell.folder, input));
  let last: Output = { stdout: Buffer.alloc(0), stderr: "", code: 0 };
  let stderr = "";
  for (const stage of stages) {
    last = await runStage(stage, stdin, shell);
    stdin = last.stdout;
    stderr += last.stderr;
  }
  if (output === undefined) return { ...last, stderr };
  await writeFile(join(shell.folder, output), last.stdout);
  return { ...last, stdout: Buffer.alloc(0), stderr };
}

async function runStage(
  { words, environment }: Stage,
  stdin: Buffer | undefined,
  { folder, target }: Shell,
): Promise<Output> {
  const [name, ...args] = words.map((word) => word.replaceAll("$DATA", target.data));
  const done = (stdout: Buffer): Output => ({ stdout, stderr: "", code: 0 });
  if (name === "printf") return done(Buffer.from((args[0] ?? "").replaceAll(String.raw`\n`, "\n")));
  if (name === "chmod") return await chmodFile(args, folder);
  if (name === "cat") return done(await readFile(join(folder, args[0] ?? "")));
  if (name !== "claviger") throw new SyntaxError(`the scripts know no command ${name ?? ""}`);
  const [stdout, stderr] = [collector(), collector()];
  const code = await runCommand(
    {
      argv: args,
      environment: { ...target.environment, ...environment },
      stdin: stdin === undefined ? new PassThrough() : Readable.from([stdin]),
      stdout: stdout.stream,
      stderr: stderr.stream,
      isTty: { stdin: stdin === undefined, stdout: false, stderr: false },
      cwd: folder,
      home: folder,
    },
    target.offline,
  );
  return { stdout: stdout.bytes(), stderr: stderr.bytes().toString("utf8"), code };
}

async function chmodFile([mode = "", file = ""]: readonly string[], folder: string): Promise<Output> {
  await chmod(join(folder, file), Number.parseInt(mode, 8));
  return { stdout: Buffer.alloc(0), stderr: "", code: 0 };
}

function collector(): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer | string, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}
