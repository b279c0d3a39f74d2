import type { CodeBlock } from "./code-blocks.ts";

/** One command of a transcript, and what it must do. */
export type Step = {
  readonly line: number;
  readonly command: string;
  /** Exactly this on stdout; undefined: anything. */
  readonly stdout: string | undefined;
  /** Fails, with this code on stderr; undefined: exits with 0. */
  readonly code: string | undefined;
};

/**
 * Reads a ```console block: `$ ` begins a command; the lines after it are what it prints, and `! CODE` says that it is refused. No lines:
 * it prints whatever it likes, and succeeds.
 */
export function readTranscript({ text, line: first }: CodeBlock): readonly Step[] {
  const steps: Step[] = [];
  for (const [index, line] of text.split("\n").slice(0, -1).entries()) {
    const at = first + 1 + index;
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ line: at, command: line.slice(2), stdout: undefined, code: undefined });
    else if (last === undefined) throw new SyntaxError(`line ${at}: wanted a command`);
    else if (line.startsWith("! ")) steps[steps.length - 1] = { ...last, code: line.slice(2) };
    else steps[steps.length - 1] = { ...last, stdout: `${last.stdout ?? ""}${line}\n` };
  }
  return steps;
}
