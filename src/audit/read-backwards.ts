import { open } from "node:fs/promises";

const BLOCK = 256 * 1024;
const LINE_FEED = 0x0a;

/** The whole lines of a file, last first, read in blocks from its end. What follows the last line feed is no line. */
export async function* linesBackwards(path: string): AsyncGenerator<string> {
  await using file = await open(path, "r");
  let end = (await file.stat()).size;
  let rest: Buffer | undefined; // the beginning of what was read: a line that may begin in the block before
  while (end > 0) {
    const length = Math.min(BLOCK, end);
    end -= length;
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(length), position: end });
    if (bytesRead < length) return; // cut while it is read
    const block =
      rest === undefined ? buffer.subarray(0, buffer.lastIndexOf(LINE_FEED) + 1) : Buffer.concat([buffer, rest]);
    if (block.length === 0) continue; // no line ends here
    const first = end === 0 ? 0 : block.indexOf(LINE_FEED) + 1;
    rest = block.subarray(0, first);
    yield* block.subarray(first).toString("utf8").split("\n").slice(0, -1).toReversed();
  }
}
