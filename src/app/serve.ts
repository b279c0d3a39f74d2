/** `serve` and `init`: a gateway in this process. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type DestinationStream, destination, pino } from "pino";
import { DEFAULT_CONFIG } from "#config/default.ts";
import { parseConfig, type ParsedConfig } from "#config/parse.ts";
import { explainProblem, formatProblem } from "#config/problem.ts";
import type { Config } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { KmsError } from "#core/errors.ts";
import { type Gateway, isLoopback, openGateway } from "../app.ts";
import { guardMemory } from "./memory-guard.ts";
import { systemSources } from "./system-sources.ts";

export type HostOptions = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Node's own options of this process. */
  readonly execArgv: readonly string[];
  readonly version: string;
  readonly readText: (path: string) => string;
  /** Resolves when the process is told to stop. */
  readonly stop: Promise<void>;
  /** Calls back whenever the process is told to read its certificates again. */
  readonly onReload: (listener: () => void) => Disposable;
  readonly print: (text: string) => void;
  readonly complain: (line: string) => void;
  /** Where records of the log go; file descriptor 2 unless given. */
  readonly log?: DestinationStream;
};

export type ServeOptions = {
  readonly config?: string;
  readonly data: string;
  readonly port?: number;
  readonly insecureHttp: boolean;
};

/** Runs a gateway until it is told to stop. Resolves with the exit code: 0, or 1 after one line per mistake. */
export async function serve(options: ServeOptions, host: HostOptions): Promise<number> {
  return await withGateway({ ...options, listens: true }, host, async (gateway) => {
    host.print(banner(gateway, { version: host.version, data: options.data }));
    await host.stop;
  });
}

/** Makes what a gateway needs to start, without starting it. */
export async function init(
  { config, data }: { readonly config?: string; readonly data: string },
  host: HostOptions,
): Promise<number> {
  const options = { data, insecureHttp: false, listens: false, ...(config === undefined ? {} : { config }) };
  return await withGateway(options, host, async ({ clientFile }) => {
    host.print(`${data} is ready; the first admin's credential is in ${clientFile}`);
    await Promise.resolve();
  });
}

async function withGateway(
  options: ServeOptions & { readonly listens: boolean },
  host: HostOptions,
  use: (gateway: Gateway) => Promise<void>,
): Promise<number> {
  const loaded = await loadConfig(options, host);
  if (!loaded.ok) {
    for (const line of loaded.lines) host.complain(line);
    return 1;
  }
  try {
    guardMemory({ execArgv: host.execArgv, nodeOptions: host.environment["NODE_OPTIONS"] });
    await using gateway = await openGateway({
      config: withOverrides(loaded.config, options),
      dataFolder: resolve(options.data),
      sources: systemSources(),
      log: pino(
        { level: host.environment["CLAVIGER_LOG_LEVEL"] ?? "info", base: null },
        host.log ?? destination({ fd: 2, sync: true }),
      ),
      version: host.version,
      listens: options.listens,
      stop: host.stop,
      onReload: host.onReload,
      validatePolicy: async (text) => {
        const parsed = await parse(text, host);
        if (parsed.ok) return [];
        return parsed.problems.map((problem) => {
          const { line, column } = problem;
          return { line, column, message: explainProblem(problem) };
        });
      },
    });
    await use(gateway);
    return 0;
  } catch (error) {
    if (error instanceof KmsError && error.code === "SHUTTING_DOWN") return 0;
    host.complain(sentence(error));
    return 1;
  }
}

type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly lines: readonly string[] };

async function loadConfig({ config: file }: ServeOptions, host: HostOptions): Promise<Loaded> {
  let text = DEFAULT_CONFIG;
  if (file !== undefined) {
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      return { ok: false, lines: [`${file}: cannot be read (${code})`] };
    }
  }
  const parsed = await parse(text, host);
  if (parsed.ok) return parsed;
  return { ok: false, lines: parsed.problems.map((problem) => formatProblem(file ?? "default", problem)) };
}

async function parse(text: string, { environment, readText }: HostOptions): Promise<ParsedConfig> {
  return await parseConfig({ text, kinds: PROVIDER_KINDS, environment, readFile: readText });
}

function withOverrides(config: Config, { port, insecureHttp }: ServeOptions): Config {
  if (port !== undefined && port > 65_535) throw new Error(`--port: wanted 0..65535, got ${port}`);
  const listen = {
    ...config.listen,
    ...(port === undefined ? {} : { port }),
    ...(insecureHttp ? { insecureHttp } : {}),
  };
  if (listen.insecureHttp && !isLoopback(listen.host)) {
    throw new Error(`--insecure-http is for loopback addresses, and listen.host is ${listen.host}`);
  }
  return { ...config, listen };
}

function banner(
  { address, domains, isLocallyTrusted }: Gateway,
  { version, data }: { readonly version: string; readonly data: string },
): string {
  const trust = isLocallyTrusted ? `--cacert ${data}/ca.pem ` : "";
  return [
    `Claviger ${version} serves ${address}`,
    "",
    "  Try it, in another terminal:",
    "    npx claviger keys create my-key",
    "    echo 'hello' | npx claviger encrypt my-key > hello.clv",
    "    npx claviger decrypt hello.clv",
    "",
    "  or with curl:",
    `    curl ${trust}-H "Authorization: Bearer $(node -p "JSON.parse(fs.readFileSync('${data}/client.json')).apiKey")" ${address}/v1/keys`,
    "",
    `  Documentation: ${address}/docs    Metrics: ${address}/metrics`,
    ...(domains < 2 ? ["", ...ONE_DOMAIN] : []),
  ].join("\n");
}

const ONE_DOMAIN = [
  "  Every provider is of one failure domain, so a new key needs one wrap (minimum 1). For keys that survive the",
  "  loss of a machine or a cloud, configure a second domain: config/examples has configurations to start from.",
];

/** What an operator is told of a failed start: one line, no stack. */
function sentence(error: unknown): string {
  if (error instanceof KmsError) return error.publicMessage;
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (
    code === "EACCES" ||
    code === "ENOENT" ||
    code === "EROFS" ||
    code === "ENOTDIR" ||
    code === "EEXIST" ||
    code === "ENOSPC"
  ) {
    return `${path ?? "the data folder"} cannot be written (${code})`;
  }
  return message.split("\n")[0] ?? "cannot start";
}
