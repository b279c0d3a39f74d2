import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";

/** What a request is made of. A body that is no text and no bytes goes out as JSON. */
export type Asked = {
  readonly method?: string;
  readonly path: string;
  /** `undefined` takes a header of every request away. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: unknown;
  /** Sends the body in chunks, without `Content-Length`. */
  readonly chunked?: boolean;
  /** Another credential than the first admin's; null: none. */
  readonly apiKey?: string | null;
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; `{}` for what is none. */
  readonly json: Record<string, unknown>;
};

export type GatewayOptions = {
  /** A configuration in YAML; else the default one. */
  readonly config?: string;
  /** Keeps its data there and leaves it; else in a temporary folder that goes with it. */
  readonly data?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The authority of its certificate, where that is not the local one. */
  readonly ca?: string;
  /** Connections at a time; 8 unless told. */
  readonly connections?: number;
  /** Given the process as soon as there is one; its output is text. */
  readonly onSpawn?: (child: ChildProcess) => void;
};

const COMMAND = new URL("../../bin/claviger.js", import.meta.url).pathname;

/** A gateway in a process of its own, over HTTPS on 127.0.0.1, as `claviger serve` starts it. */
export class Gateway implements AsyncDisposable {
  readonly pid: number;
  readonly address: URL;
  /** The first admin's. */
  readonly apiKey: string;
  readonly ca: string;
  readonly data: string;
  readonly #child: ChildProcess;
  readonly #output: string[];
  readonly #temporary: string;
  readonly #agent: Agent;

  private constructor(
    started: Started,
    client: { readonly address: string; readonly apiKey: string; readonly ca: string; readonly connections: number },
  ) {
    const { child, output, data, temporary } = started;
    this.#child = child;
    this.#output = output;
    this.#temporary = temporary;
    this.data = data;
    this.pid = child.pid ?? 0;
    this.address = new URL(client.address);
    this.apiKey = client.apiKey;
    this.ca = client.ca;
    this.#agent = new Agent({ keepAlive: true, ca: client.ca, maxSockets: client.connections });
  }

  /** Starts one and waits until it is ready. Rejects with what it printed if it ends before. */
  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    const started = await spawnGateway(options);
    try {
      // client.json names the first gateway of a folder alone
      const address = await untilPrinted(started);
      const file = join(started.data, "client.json");
      const { apiKey, cacert } = JSON.parse(await untilThere(file)) as Record<string, string>;
      if (apiKey === undefined) throw new Error(`${file}: wants members`);
      const ca = options.ca ?? (await readFile(join(dirname(file), cacert ?? "ca.pem"), "utf8"));
      const gateway = new Gateway(started, { address, apiKey, ca, connections: options.connections ?? 8 });
      await gateway.#untilReady();
      return gateway;
    } catch (error) {
      await end(started.child);
      await rm(started.temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether its process still runs. */
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Everything that it printed, on both streams. */
  get log(): string {
    return this.#output.join("");
  }

  /** The last lines in which its log complains; for messages of tests that fail. */
  get complaints(): string {
    const lines = this.log.split("\n").filter((line) => /"level":[456]0/u.test(line));
    return lines.slice(-5).join("\n");
  }

  async ask({
    method = "GET",
    path,
    headers = {},
    body,
    chunked = false,
    apiKey = this.apiKey,
  }: Asked): Promise<Answer> {
    const bytes = toBytes(body);
    const all = {
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(bytes === undefined ? {} : { "content-type": "application/json" }),
      ...(bytes === undefined || chunked ? {} : { "content-length": String(bytes.length) }),
      ...headers,
    };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return await exchange({ ...this.#place(), agent: this.#agent, method, path, headers: sent }, bytes);
  }

  /** Writes bytes as they are into a connection, and gives what comes back until the gateway closes it. */
  async raw(text: string | Buffer): Promise<string> {
    const { host, port } = this.#place();
    const socket = connect({ host, port, ca: this.ca, servername: "localhost" });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined); // a reset ends it too
    socket.write(text);
    await once(socket, "close");
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Ends it at once, as `kill -9` does: it cannot flush or tell anything. */
  async kill(): Promise<void> {
    this.#agent.destroy();
    await end(this.#child, "SIGKILL");
  }

  /** Stops it as an operator would, and gives its exit code. */
  async stop(): Promise<number | null> {
    this.#agent.destroy();
    await end(this.#child);
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#temporary, { recursive: true, force: true });
  }

  #place(): { readonly host: string; readonly port: number } {
    return { host: this.address.hostname, port: Number(this.address.port) };
  }

  async #untilReady(): Promise<void> {
    for (;;) {
      if (!this.isAlive) throw new Error(`the gateway ended: ${this.log}`);
      const { status } = await this.ask({ path: "/readyz", apiKey: null });
      if (status === 200) return;
      await pause(20);
    }
  }
}

type Started = {
  readonly child: ChildProcess;
  readonly output: string[];
  readonly data: string;
  /** Removed at the end. */
  readonly temporary: string;
};

async function spawnGateway({ config, data, environment = {}, onSpawn }: GatewayOptions): Promise<Started> {
  const temporary = await mkdtemp(join(tmpdir(), "claviger-e2e-"));
  const folder = data ?? join(temporary, "data");
  const file = join(temporary, "claviger.yaml");
  if (config !== undefined) await writeFile(file, config);
  const args = ["serve", "--port", "0", "--data", folder, ...(config === undefined ? [] : ["--config", file])];
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], CLAVIGER_LOG_LEVEL: "trace", ...environment },
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  onSpawn?.(child);
  return { child, output, data: folder, temporary };
}

/** The first line on stdout says where it listens. */
async function untilPrinted({ child, output }: Started): Promise<string> {
  const ended = once(child, "exit");
  const { promise, resolve } = Promise.withResolvers<string>();
  child.stdout?.on("data", () => {
    const address = /^Claviger \S+ serves (\S+)$/mu.exec(output.join(""))?.[1];
    if (address !== undefined) resolve(address);
  });
  const address = await Promise.race([promise, ended.then(() => undefined)]);
  if (address === undefined) throw new Error(`the gateway did not start: ${output.join("")}`);
  return address;
}

/** The second gateway of a folder may listen before the first has written its file. */
async function untilThere(file: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      if (attempt === 500) throw error;
      await pause(20);
    }
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

function toBytes(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body), "utf8");
}

async function exchange(options: RequestOptions, body: Buffer | undefined): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: toJson(text) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function toJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
