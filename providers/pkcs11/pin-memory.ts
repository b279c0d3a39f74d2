import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Pkcs11Error } from "./errors.ts";

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Remembers a PIN that its token has refused, over restarts too: tokens lock after a few, and a service that is restarted in a loop would see
 * to that. What is kept is a salted scrypt of module, token and PIN.
 */
export class PinMemory {
  readonly #file: string;
  readonly #subject: string;

  /** `subject`: all that makes it another attempt where it changes, the PIN among it. */
  constructor(file: string, subject: string) {
    this.#file = file;
    this.#subject = subject;
  }

  /** @throws {Pkcs11Error} as the token had said, where this PIN was refused before */
  async require(): Promise<void> {
    const [code, salt, hash] = (await this.#read()).split(" ");
    if (code === undefined || salt === undefined || hash === undefined) return;
    const [known, given] = [Buffer.from(hash, "hex"), this.#hash(Buffer.from(salt, "hex"))];
    if (known.length === given.length && timingSafeEqual(known, given))
      throw new Pkcs11Error({ code: Number(code), text: "" });
  }

  async note(code: number): Promise<void> {
    const salt = randomBytes(SALT_BYTES);
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const line = `${code} ${salt.toString("hex")} ${this.#hash(salt).toString("hex")}\n`;
    await writeFile(this.#file, line, { mode: 0o600 });
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async #read(): Promise<string> {
    try {
      return (await readFile(this.#file, "utf8")).trim();
    } catch {
      return "";
    }
  }

  #hash(salt: Buffer): Buffer {
    return scryptSync(this.#subject, salt, HASH_BYTES, { N: 16_384, r: 8, p: 1 });
  }
}
