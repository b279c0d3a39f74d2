/**
 * Scripts of the command as it is typed. A script is a text:
 *
 *     # a comment
 *     = note.txt "hello\n"             a file with these bytes (a JSON string)
 *     $ claviger encrypt orders note.txt > note.clv
 *     $ claviger decrypt note.clv
 *     hello
 *     ! text on stderr
 *     ? 1                              the exit code, where it is not 0
 *
 * After a command stand its output and its exit code. `[..]` stands for any text within a line, `[...]` alone on a line for any lines.
 * Words are divided as in a shell, with single and double quotes; `<`, `>` and `|` are known, `cat`, `chmod`, `printf` and `claviger` are the commands,
 * and NAME=value before one sets its environment. Without `<` or `|` stdin is a terminal.
 */
export type Step =
  | { readonly kind: "file"; readonly name: string; readonly content: string; readonly line: number }
  | { readonly kind: "command"; readonly text: string; readonly expected: readonly string[]; readonly line: number };

export function parseScript(text: string): readonly Step[] {
  const steps: Step[] = [];
  let command: { kind: "command"; text: string; expected: string[]; line: number } | undefined;
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    const number = index + 1;
    if (line.startsWith("$ ")) {
      command = { kind: "command", text: line.slice(2), expected: [], line: number };
      steps.push(command);
    } else if (line.startsWith("= ")) {
      const [, name = "", json = ""] = /^= (\S+) (".*")$/u.exec(line) ?? [];
      if (name === "") throw new SyntaxError(`line ${number}: wanted = NAME "content"`);
      steps.push({ kind: "file", name, content: JSON.parse(json) as string, line: number });
      command = undefined;
    } else if (command !== undefined && !line.startsWith("# ")) command.expected.push(line);
    else if (line !== "" && !line.startsWith("#")) throw new SyntaxError(`line ${number}: belongs to no command`);
  }
  for (const step of steps) if (step.kind === "command") trimEmpty(step.expected as string[]);
  return steps;
}

/** Empty lines before the next command are for the reader. */
function trimEmpty(lines: string[]): void {
  while (lines.at(-1) === "") lines.pop();
}

export type Stage = { readonly environment: Readonly<Record<string, string>>; readonly words: readonly string[] };
export type Pipeline = {
  readonly stages: readonly Stage[];
  readonly input: string | undefined;
  readonly output: string | undefined;
};

const TOKEN = /\s*(?:(?<operator>[<>|])|(?<word>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'<>|])+))/gy;

/** Divides a command line into what is piped into what. */
export function parsePipeline(text: string): Pipeline {
  const stages: { environment: Record<string, string>; words: string[] }[] = [{ environment: {}, words: [] }];
  const files: Record<string, string> = {};
  let operator: string | undefined;
  for (const { groups } of text.trim().matchAll(TOKEN)) {
    const stage = stages.at(-1);
    const word = groups?.["word"] === undefined ? undefined : unquote(groups["word"]);
    const [, name, value] = /^([A-Z_]+)=(.*)$/u.exec(word ?? "") ?? [];
    if (groups?.["operator"] === "|") stages.push({ environment: {}, words: [] });
    else if (groups?.["operator"] !== undefined) ({ operator } = groups);
    else if (operator !== undefined) [files[operator], operator] = [word ?? "", undefined];
    else if (stage?.words.length === 0 && name !== undefined) stage.environment[name] = value ?? "";
    else stage?.words.push(word ?? "");
  }
  return { stages, input: files["<"], output: files[">"] };
}

function unquote(word: string): string {
  return word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/gu, (_, double?: string, single?: string) =>
    double === undefined ? (single ?? "") : double.replaceAll(/\\(["\\$])/gu, "$1"),
  );
}

/** Whether the lines are the expected ones, wildcards considered. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first === "[...]") return actual.some((_, index) => matches(rest, actual.slice(index))) || matches(rest, []);
  const [line, ...more] = actual;
  return line !== undefined && matchesLine(first, line) && matches(rest, more);
}

function matchesLine(expected: string, actual: string): boolean {
  const pattern = expected
    .split("[..]")
    .map((part) => RegExp.escape(part))
    .join(".*");
  return new RegExp(`^${pattern}$`, "u").test(actual);
}
