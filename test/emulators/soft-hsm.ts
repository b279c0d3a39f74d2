import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const PIN = "1234";
const LABEL = "claviger";

/** A token of SoftHSM2 in a folder of its own. */
export type SoftHsm = Disposable & {
  readonly folder: string;
  readonly module: string;
  readonly label: string;
  readonly pin: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** Why there is no SoftHSM2 to test with; undefined if there is. */
export function missingSoftHsm(): string | undefined {
  if (!existsSync(MODULE)) return `SoftHSM2 is not installed (${MODULE}): localstack/install.sh installs it`;
  const binding = new URL("../../node_modules/pkcs11js/build/Release/pkcs11.node", import.meta.url);
  return existsSync(binding) ? undefined : "pkcs11js is not compiled: localstack/install.sh does it";
}

export function makeSoftHsm(): SoftHsm {
  const folder = mkdtempSync(join(tmpdir(), "softhsm-"));
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const configuration = join(folder, "softhsm2.conf");
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const environment = { SOFTHSM2_CONF: configuration };
  const args = ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "5678"];
  execFileSync("softhsm2-util", args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  return {
    folder,
    module: MODULE,
    label: LABEL,
    pin: PIN,
    environment,
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
