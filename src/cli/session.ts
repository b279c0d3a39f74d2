import type { Writable } from "node:stream";
import { createGateway, type Gateway } from "./gateway.ts";
import type { CommandIo, CommandSources } from "./io.ts";
import type { OfflineCommands } from "./offline-commands.ts";
import { type OutputFormat, renderData, renderList, renderOne } from "./output.ts";
import { createPaint, type Paint } from "./paint.ts";
import type { Resource } from "./resource.ts";
import { findSettings } from "./settings.ts";
import type { View } from "./table.ts";
import { openTransport } from "./transport.ts";

/** Options that every command takes. */
export type SharedOptions = {
  readonly address?: string;
  readonly cacert?: string;
  readonly namespace?: string;
  readonly output: OutputFormat;
};

/** What an action has to work with: the gateway, opened when first needed, and the two streams. */
export class Session implements Disposable {
  readonly io: CommandIo;
  readonly sources: CommandSources;
  readonly offline: OfflineCommands;
  readonly signal: AbortSignal;
  readonly paint: Paint;
  readonly #shared: () => SharedOptions;
  #gateway: Gateway | undefined;

  constructor(parts: {
    io: CommandIo;
    offline: OfflineCommands;
    sources: CommandSources;
    shared: () => SharedOptions;
  }) {
    this.io = parts.io;
    this.sources = parts.sources;
    this.offline = parts.offline;
    this.signal = parts.io.signal ?? new AbortController().signal;
    this.paint = createPaint(parts.io.isTty.stdout, parts.io.environment);
    this.#shared = parts.shared;
  }

  get format(): OutputFormat {
    return this.#shared().output;
  }

  /** The gateway that the settings name. */
  async gateway(): Promise<Gateway> {
    if (this.#gateway !== undefined) return this.#gateway;
    const { environment, home, cwd } = this.io;
    const settings = await findSettings({ flags: this.#shared(), environment, home, cwd });
    const transport = openTransport(settings);
    this.#gateway = createGateway({ transport, settings, sources: this.sources, signal: this.signal });
    return this.#gateway;
  }

  async printList(items: readonly Resource[], view: View): Promise<void> {
    await this.print(renderList(items, view, { format: this.format, paint: this.paint }));
  }

  async printOne(resource: Resource, view: Pick<View, "name">): Promise<void> {
    await this.print(renderOne(resource, view, { format: this.format, paint: this.paint }));
  }

  /** Prints what has no table of its own: as data where data was asked for, as `text` otherwise. */
  async printData(data: unknown, text: string | Buffer): Promise<void> {
    const { format } = this;
    await this.print(format === "json" || format === "yaml" ? renderData(data, format) : text);
  }

  /** Results: stdout. */
  async print(text: string | Uint8Array): Promise<void> {
    await write(this.io.stdout, text);
  }

  /** All else: stderr. */
  async tell(line: string): Promise<void> {
    await write(this.io.stderr, `${line}\n`);
  }

  [Symbol.dispose](): void {
    this.#gateway?.[Symbol.dispose]();
  }
}

/** Resolves when the stream has taken it, so that nothing is lost when the process ends. */
function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
