/** The process: arguments, environment, signals, exit code. The only file that reads the environment. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { destination, pino } from "pino";
import { DEFAULT_CONFIG } from "#config/default.ts";
import { parseConfig, type ParsedConfig } from "#config/parse.ts";
import { formatProblem } from "#config/problem.ts";
import type { Config } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { KmsError } from "#core/errors.ts";
import { isLoopback, openGateway } from "./app.ts";
import { systemSources } from "./app/system-sources.ts";

type ServeOptions = {
  readonly config?: string;
  readonly data?: string;
  readonly port?: number;
  readonly insecureHttp?: boolean;
};

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** Runs a gateway until it is told to stop. Resolves with the exit code. */
async function serve(options: ServeOptions): Promise<number> {
  const loaded = await loadConfig(options);
  if (!loaded.ok) {
    for (const line of loaded.lines) console.error(`claviger: ${line}`);
    return 1;
  }
  const dataFolder = resolve(options.data ?? "data");
  const log = pino(
    { level: process.env["CLAVIGER_LOG_LEVEL"] ?? "info", base: null },
    destination({ fd: 2, sync: true }),
  );
  const stop = stopSignal();
  try {
    const config = withOverrides(loaded.config, options);
    await using gateway = await openGateway({
      config,
      dataFolder,
      sources: systemSources(),
      log,
      version,
      validatePolicy: async (text) => {
        const parsed = await parse(text);
        return parsed.ok ? [] : parsed.problems;
      },
    });
    console.log(banner(gateway));
    await stop;
    return 0;
  } catch (error) {
    console.error(`claviger: ${sentence(error)}`);
    return 1;
  }
}

type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly lines: readonly string[] };

async function loadConfig({ config: file }: ServeOptions): Promise<Loaded> {
  let text = DEFAULT_CONFIG;
  if (file !== undefined) {
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      return {
        ok: false,
        lines: [
          `${file}: cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "unknown"})`,
        ],
      };
    }
  }
  const parsed = await parse(text);
  if (parsed.ok) return parsed;
  return { ok: false, lines: parsed.problems.map((problem) => formatProblem(file ?? "default", problem)) };
}

async function parse(text: string): Promise<ParsedConfig> {
  return await parseConfig({
    text,
    kinds: PROVIDER_KINDS,
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
  });
}

function withOverrides(config: Config, { port, insecureHttp }: ServeOptions): Config {
  const listen = {
    ...config.listen,
    ...(port === undefined ? {} : { port }),
    ...(insecureHttp === true ? { insecureHttp } : {}),
  };
  if (listen.insecureHttp && !isLoopback(listen.host))
    throw new Error(`--insecure-http is for loopback addresses, and listen.host is ${listen.host}`);
  return { ...config, listen };
}

function banner({ address, domains }: { readonly address: string; readonly domains: number }): string {
  const minimum = Math.min(2, domains);
  const shortfall =
    domains < 2
      ? [
          "",
          `  All providers are of one failure domain, so new keys need a wrap in ${minimum}. For keys that survive the loss`,
          "  of a machine or a cloud, configure a second one: see config/examples.",
        ]
      : [];
  return [
    `Claviger ${version} serves ${address}`,
    "",
    "  Try it, in another terminal:",
    "    npx claviger keys create my-key",
    "    echo 'hello' | npx claviger encrypt my-key > hello.clv",
    "    npx claviger decrypt hello.clv",
    "",
    "  or with curl:",
    `    curl --cacert data/ca.pem -H "Authorization: Bearer $(node -p "require('./data/client.json').apiKey")" ${address}/v1/keys`,
    "",
    `  Documentation: ${address}/docs    Metrics: ${address}/metrics`,
    ...shortfall,
  ].join("\n");
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
async function stopSignal(): Promise<void> {
  await new Promise<void>((end) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        end();
      });
    }
  });
}

/** What an operator is told of a failed start: one line, no stack. */
function sentence(error: unknown): string {
  if (error instanceof KmsError) return error.publicMessage;
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EROFS" || code === "ENOTDIR")
    return `${path ?? "the data folder"} cannot be written (${code})`;
  return message.split("\n")[0] ?? "cannot start";
}

void homedir;
process.exitCode = await serve({});
