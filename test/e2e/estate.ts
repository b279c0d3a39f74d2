import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect } from "vitest";
import { parseConfig } from "#config/parse.ts";
import type { Sources } from "#core/clock.ts";
import { dyingKeys, dyingVersions, finishDestruction, finishVersion } from "#broker/finish-destruction.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { type Gateway, openGateway } from "#app.ts";
import { systemSources } from "#app/system-sources.ts";

const CONFIG = `
providers: { hsm-a: { kind: local-hsm }, hsm-b: { kind: local-hsm } }
listen: { port: 0, insecureHttp: true }
`;

/** A gateway in this process whose clock a test can move; it closes and opens again on the same folder. */
export class Estate implements AsyncDisposable {
  readonly folder: string;
  #gateway: Gateway | undefined;
  #aheadMs = 0;
  #config = CONFIG;

  constructor(folder: string) {
    this.folder = folder;
  }

  get gateway(): Gateway {
    return this.#gateway ?? expect.fail("the gateway is not open");
  }

  /** One in a temporary folder, open. */
  static async create(config = CONFIG): Promise<Estate> {
    const estate = new Estate(await mkdtemp(join(tmpdir(), "claviger-estate-")));
    await estate.open(config);
    return estate;
  }

  /** Opens it as it was configured last. */
  async reopen(): Promise<void> {
    await this.open(this.#config);
  }

  async open(config = CONFIG): Promise<void> {
    this.#config = config;
    const parsed = await parseConfig({ text: config, kinds: PROVIDER_KINDS, environment: {}, readFile: () => "" });
    if (!parsed.ok) throw new Error("the configuration does not parse");
    const system = systemSources();
    const clock = { ...system.clock, now: () => Date.now() + this.#aheadMs };
    const sources: Sources = { ...system, clock };
    this.#gateway = await openGateway({
      config: parsed.config,
      dataFolder: this.folder,
      sources,
      log: pino({ level: "silent" }),
      version: "test",
      listens: true,
      validatePolicy: async () => await Promise.resolve([]),
    });
  }

  async close(): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
    this.#gateway = undefined;
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  async ask(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const { apiKey } = JSON.parse(await readFile(join(this.folder, "client.json"), "utf8")) as { apiKey: string };
    const answer = await fetch(`${this.gateway.address}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async succeed(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.ask(method, path, body);
    expect(answer, `${method} ${path} ${JSON.stringify(answer.body)}`).toMatchObject({
      status: expect.toSatisfy((status: number) => status < 300) as number,
    });
    return answer.body;
  }

  /** What the background does by itself once a minute. */
  async finish(): Promise<void> {
    const { parts } = this.gateway;
    for (const key of dyingKeys(parts)) expect(await finishDestruction(parts, key)).toBe(true);
    for (const version of dyingVersions(parts)) expect(await finishVersion(parts, version)).toBe(true);
  }

  /** The files below the data folder that hold a text. */
  async filesWith(text: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const entry of await readdir(this.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = await readFile(path).catch(() => Buffer.alloc(0)); // one that was written anew meanwhile
      if (bytes.includes(text)) found.push(entry.name);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
