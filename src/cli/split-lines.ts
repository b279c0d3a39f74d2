const LINE_FEED = 0x0a;

/** A line without its line feed, and what ended it. */
export type InputLine = { readonly bytes: Buffer; readonly end: "\n" | "" };

/** Lines of a stream of bytes; the last may lack its line feed. Nothing is decoded, so that nothing is changed. */
export async function* splitInput(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputLine> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      yield { bytes: Buffer.concat([...rest, chunk.subarray(from, at)]), end: "\n" };
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), end: "" };
}
