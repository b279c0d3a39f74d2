import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ran, run, type Shell, start } from "./shell.ts";

/** Who follows the README: a folder, one gateway at a time in the first terminal, and commands in the second. */
export class Reader implements AsyncDisposable {
  readonly folder: string;
  #gateway: ChildProcess | undefined;
  #address = "https://127.0.0.1:8443";

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async begin(): Promise<Reader> {
    return new Reader(await mkdtemp(join(tmpdir(), "claviger-readme-")));
  }

  async run(command: string): Promise<Ran> {
    return await run(this.#shell, command);
  }

  /** Starts a gateway with a command that serves, on a port of its own, and gives what it printed first. */
  async serve(command: string): Promise<string> {
    const gateway = start(this.#shell, `exec ${command} --port 0`);
    this.#gateway = gateway;
    let [printed, complaint] = ["", ""];
    gateway.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    const { promise, resolve } = Promise.withResolvers<string>();
    gateway.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const address = /^Claviger \S+ serves (\S+)$/mu.exec(printed)?.[1];
      if (address !== undefined && printed.includes("/metrics")) resolve(address);
    });
    const address = await Promise.race([promise, once(gateway, "exit").then(() => undefined)]);
    if (address === undefined) throw new Error(`the gateway did not start: ${complaint}`);
    this.#address = address;
    return printed;
  }

  /** Ctrl-C in the first terminal. */
  async interrupt(): Promise<number | null> {
    const gateway = this.#gateway;
    if (gateway === undefined || gateway.exitCode !== null) return gateway?.exitCode ?? null;
    const ended = once(gateway, "exit");
    gateway.kill("SIGINT");
    await ended;
    return gateway.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.interrupt();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #shell(): Shell {
    return { folder: this.folder, address: this.#address };
  }
}
