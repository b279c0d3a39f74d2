/** A fenced block of a Markdown text. */
export type CodeBlock = {
  /** What stands behind the fence: `sh`, `console`, `yaml`; empty where nothing does. */
  readonly language: string;
  /** The lines between the fences, each with its line feed. */
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
};

/** The fenced blocks of a Markdown text, in order. A fence that is not closed is a SyntaxError. */
export function readCodeBlocks(markdown: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^```(?<language>\S*)\s*$/u.exec(line);
    if (fence === null) open?.lines.push(`${line}\n`);
    else if (open === undefined) open = { language: fence.groups?.["language"] ?? "", line: index + 1, lines: [] };
    else {
      blocks.push({ language: open.language, text: open.lines.join(""), line: open.line });
      open = undefined;
    }
  }
  if (open !== undefined) throw new SyntaxError(`the fence of line ${open.line} is not closed`);
  return blocks;
}
