import { z } from "zod";

export type EmulatorEndpoint = {
  readonly name: string;
  /** Such as "http://127.0.0.1:4581", without a path. */
  readonly endpoint: string;
  /** Whether it checks signatures and policies; the others take any credentials, and none. */
  readonly auth: boolean;
};

const Table = z.record(z.string().min(1), z.strictObject({ endpoint: z.url(), auth: z.boolean() }));

/** The running emulators, in the order they were started. Throws when there are none. */
export function getEmulators(): readonly EmulatorEndpoint[] {
  return parseEmulators(process.env["CLAVIGER_EMULATORS"]);
}

/** The running emulator of that name. Throws when it is not running. */
export function getEmulator(name: string): EmulatorEndpoint {
  const emulators = getEmulators();
  const found = emulators.find((emulator) => emulator.name === name);
  if (found !== undefined) return found;
  throw new Error(`wanted the emulator ${name}, got ${emulators.map((emulator) => emulator.name).join(", ")}`);
}

/** Parses the text that localstack/emulators.ts puts into CLAVIGER_EMULATORS. */
export function parseEmulators(text: string | undefined): readonly EmulatorEndpoint[] {
  if (text === undefined || text === "") {
    throw new Error(
      "CLAVIGER_EMULATORS is not set: these tests run under localstack/emulators.ts (npm run test:emulators)",
    );
  }
  const table = Table.safeParse(jsonOf(text));
  if (!table.success) throw new Error(`CLAVIGER_EMULATORS: ${z.prettifyError(table.error)}`);
  const emulators = Object.entries(table.data).map(([name, rest]) => ({ name, ...rest }));
  if (emulators.length === 0) throw new Error("CLAVIGER_EMULATORS names no emulator");
  return emulators;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error("CLAVIGER_EMULATORS is not JSON", { cause: error });
  }
}
