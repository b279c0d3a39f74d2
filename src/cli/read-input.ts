import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { EXIT, Failure, usageFailure } from "./failure.ts";
import type { CommandIo } from "./io.ts";
import { unreadable } from "./secret-file.ts";

/** Far above what one request may carry; what is larger is refused here instead of being held in memory. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/**
 * Opens FILE, or stdin for `-`. Without FILE it is stdin too, unless that is a terminal: somebody who typed the command and waits.
 *
 * @throws {Failure} usage, for a terminal
 */
export function openInput(io: CommandIo, file: string | undefined): Readable {
  if (file === undefined && io.isTty.stdin) {
    throw usageFailure("nothing to read: stdin is a terminal", "give a FILE, or - to type it, or pipe something in");
  }
  const stream = file === undefined || file === "-" ? io.stdin : createReadStream(resolve(io.cwd, file));
  return io.signal === undefined ? stream : addAbortSignal(io.signal, stream);
}

/** All bytes of {@link openInput}. */
export async function readInput(io: CommandIo, file: string | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readChunks(openInput(io, file), file)) {
    length += chunk.length;
    if (length > MAX_INPUT_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A text without the white space around it, such as a ciphertext with the newline that `encrypt` ends it with. */
export async function readTextInput(io: CommandIo, file: string | undefined): Promise<string> {
  return (await readInput(io, file)).toString("utf8").trim();
}

/** The chunks of a stream; an error of the system names the file. */
export async function* readChunks(stream: Readable, file: string | undefined): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield Buffer.from(chunk as Buffer | string);
  } catch (error) {
    throw unreadable(file === undefined || file === "-" ? "stdin" : file, error);
  }
}

function tooLarge(): Failure {
  return new Failure(EXIT.refused, {
    what: "the input is too large",
    code: "PLAINTEXT_TOO_LARGE",
    why: `wanted at most ${MAX_INPUT_BYTES} bytes`,
    next: "encrypt it under a data key: npx claviger data-key KEY",
  });
}
