// Starts the emulators that localstack/install.sh installed, and stops them when asked to or when COMMAND ends.
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { type LaunchOptions, parseArguments, USAGE } from "./arguments.ts";
import { EMULATORS, type EmulatorKind } from "./catalogue.ts";
import { choosePorts } from "./choose-ports.ts";
import { type Emulator, startEmulator, waitUntilReady } from "./emulator.ts";
import { type Fakes, openFakes } from "./fakes.ts";
import { startProcess } from "./own-process.ts";

const HOME = join(import.meta.dirname, "..", ".emu");

const interrupt = new AbortController(); // its reason is the signal's name
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    interrupt.abort(name);
  });
}
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "--help") {
    console.log(USAGE);
    return 0;
  }
  let options: LaunchOptions;
  try {
    options = parseArguments(argv);
  } catch (error) {
    complain(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  try {
    return await launch(options, interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) return codeOf(interrupt.signal);
    complain(messageOf(error));
    return 1;
  }
}

async function launch(options: LaunchOptions, signal: AbortSignal): Promise<number> {
  const kinds = EMULATORS.filter(({ name }) => options.names.includes(name));
  requireInstalled(kinds);
  const ports = await choosePorts(options.names, options.ports);
  await using fleet = new AsyncDisposableStack();
  const emulators = kinds.map((kind) => fleet.use(startEmulator(kind, HOME, ports.get(kind.name) ?? 0)));
  await Promise.all(emulators.map(async (emulator) => await waitUntilReady(emulator, signal)));

  const table = Object.fromEntries(emulators.map(({ kind, endpoint }) => [kind.name, { endpoint, auth: kind.auth }]));
  const lines = emulators.map(({ kind, endpoint }) => `${kind.name} ${endpoint}`);
  const told = options.json ? JSON.stringify(table) : lines.join("\n");
  const [command] = options.command;
  if (command === undefined) {
    console.log(told);
    await using fakes = options.json || kinds.length < EMULATORS.length ? undefined : await openFakes(HOME);
    if (fakes !== undefined) console.log(configuration(emulators, fakes));
    return await waitForTheEnd(emulators, signal);
  }
  console.error(told); // stdout is the command's
  return await runCommand(options.command, { emulators, signal, table: JSON.stringify(table) });
}

/** What a gateway is told of all that runs, to be put into a file. */
function configuration(emulators: readonly Emulator[], { lines }: Fakes): string {
  const credentials = "credentials: { data: { accessKeyId: test, secretAccessKey: test } }";
  const aws = emulators
    .filter(({ kind }) => kind.name === "local-kms")
    .map(({ endpoint }) => `aws: { kind: aws-kms, region: us-east-1, endpoint: "${endpoint}", ${credentials} }`);
  return [
    "",
    "# and our own fakes of Azure Key Vault and Google Cloud KMS. For a gateway:",
    "providers:",
    ...[...aws, ...lines].map((line) => `  ${line}`),
    "  hsm: { kind: local-hsm }",
    "routes: [{ name: default, place: { holders: all, minimum: 2 } }]",
  ].join("\n");
}

function requireInstalled(kinds: readonly EmulatorKind[]): void {
  const missing = kinds.filter(({ program }) => !existsSync(join(HOME, program))).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`${missing.join(", ")}: not installed; run localstack/install.sh`);
}

async function waitForTheEnd(emulators: readonly Emulator[], signal: AbortSignal): Promise<number> {
  const lost = await Promise.race([aborted(signal), ...emulators.map(whenLost)]);
  if (lost === undefined || signal.aborted) return 0;
  complain(lost);
  return 1;
}

/** Runs the command to its end. A code of 0 becomes 1 when an emulator did not live as long. */
async function runCommand(
  [program = "", ...args]: readonly string[],
  { emulators, signal, table }: { emulators: readonly Emulator[]; signal: AbortSignal; table: string },
): Promise<number> {
  const command = startProcess(program, args, {
    stdio: "inherit",
    env: { ...process.env, CLAVIGER_EMULATORS: table },
  });
  const done = new AbortController();
  const losses: string[] = [];
  const watch = async (emulator: Emulator): Promise<void> => {
    const loss = await whenLost(emulator);
    if (done.signal.aborted || signal.aborted) return;
    losses.push(loss);
    complain(loss);
  };
  const passOn = async (): Promise<void> => {
    await aborted(signal);
    if (!done.signal.aborted) await command.stop(signal.reason as NodeJS.Signals);
  };
  void Promise.all([...emulators.map(watch), passOn()]);

  const { code, words, couldStart } = await command.ended;
  done.abort();
  if (!couldStart) complain(`${program} ${words}`);
  return code === 0 && losses.length > 0 ? 1 : code;
}

async function whenLost({ kind, ended, log }: Emulator): Promise<string> {
  const { words } = await ended;
  return `${kind.name} ${words} while in use; its output is in ${log}`;
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  signal.addEventListener("abort", () => {
    resolve(undefined);
  });
  return await promise;
}

function codeOf(signal: AbortSignal): number {
  return 128 + constants.signals[signal.reason as NodeJS.Signals];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function complain(message: string): void {
  console.error(`emulators: ${message}`);
}
