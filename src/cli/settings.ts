import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Secret } from "#core/secret.ts";
import { EXIT, Failure, settingsFailure } from "./failure.ts";
import { isResource, type Resource, textAt } from "./resource.ts";
import { readOwned, readSecretFile, refuseExposed, unreadable } from "./secret-file.ts";

export type Credential =
  | { readonly kind: "api-key"; readonly secret: Secret<string> }
  | { readonly kind: "certificate"; readonly certificate: string; readonly key: Secret<string> };

/** Whom to ask, whom to trust, who asks, and where. */
export type Settings = {
  readonly address: URL;
  /** PEM; absent: the authorities that Node trusts. */
  readonly cacert?: string;
  /** Absent: none was found, and the gateway will say so. */
  readonly credential?: Credential;
  /** Absent: the credential's own. */
  readonly namespace?: string;
};

/** One place where settings are looked for. Paths are absolute. */
type Layer = {
  readonly source: string;
  readonly address?: string | undefined;
  readonly cacert?: string | undefined;
  readonly namespace?: string | undefined;
  readonly credential?: (() => Promise<Credential>) | undefined;
};

export type SettingsInput = {
  readonly flags: { readonly address?: string; readonly cacert?: string; readonly namespace?: string };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
};

/** The files in which settings may stand, the nearer first. */
export function settingsFiles({ home, cwd }: Pick<SettingsInput, "home" | "cwd">): readonly string[] {
  return [join(home, ".config", "claviger", "client.json"), join(cwd, "data", "client.json")];
}

/**
 * Finds each setting on its own: flag, environment, profile, `./data/client.json` (api.md § 11). Files are read only while something is
 * missing.
 *
 * @throws {Failure} where there is no address, where an address is not safe, and for a secret file that others may read.
 */
export async function findSettings(input: SettingsInput): Promise<Settings> {
  const layers = [flagLayer(input), environmentLayer(input)];
  for (const path of settingsFiles(input)) {
    if (layers.some(({ address }) => address) && isComplete(layers)) break;
    const layer = await fileLayer(path);
    if (layer !== undefined) layers.push(layer);
  }
  const address = first(layers, "address");
  if (address === undefined) throw noAddress();
  const [cacert, namespace] = [first(layers, "cacert"), first(layers, "namespace")];
  const credential = await first(layers, "credential")?.();
  return {
    address: parseAddress(address),
    ...(cacert !== undefined && { cacert: await readPem(cacert) }),
    ...(credential !== undefined && { credential }),
    ...(namespace !== undefined && { namespace }),
  };
}

function first<N extends "address" | "cacert" | "namespace" | "credential">(
  layers: readonly Layer[],
  name: N,
): Layer[N] {
  return layers.find((layer) => layer[name] !== undefined)?.[name];
}

function isComplete(layers: readonly Layer[]): boolean {
  return (["cacert", "namespace", "credential"] as const).every((name) => first(layers, name) !== undefined);
}

function flagLayer({ flags, cwd }: SettingsInput): Layer {
  const cacert = flags.cacert === undefined ? undefined : resolve(cwd, flags.cacert);
  return { source: "flags", address: flags.address, cacert, namespace: flags.namespace };
}

function environmentLayer({ environment, cwd }: SettingsInput): Layer {
  const value = (name: string): string | undefined => environment[`CLAVIGER_${name}`] || undefined;
  const path = (name: string): string | undefined => {
    const text = value(name);
    return text === undefined ? undefined : resolve(cwd, text);
  };
  return {
    source: "environment",
    address: value("ADDR"),
    cacert: path("CACERT"),
    namespace: value("NAMESPACE"),
    credential: environmentCredential({
      apiKey: value("API_KEY"),
      apiKeyFile: path("API_KEY_FILE"),
      certificate: path("CLIENT_CERT"),
      key: path("CLIENT_KEY"),
    }),
  };
}

type EnvironmentCredential = Readonly<Record<"apiKey" | "apiKeyFile" | "certificate" | "key", string | undefined>>;

function environmentCredential({ apiKey, apiKeyFile, certificate, key }: EnvironmentCredential): Layer["credential"] {
  const hasCertificate = certificate !== undefined || key !== undefined;
  if ([apiKey !== undefined, apiKeyFile !== undefined, hasCertificate].filter(Boolean).length > 1) {
    throw settingsFailure(
      "the environment names more than one credential",
      "set one of CLAVIGER_API_KEY, CLAVIGER_API_KEY_FILE, or CLAVIGER_CLIENT_CERT with CLAVIGER_CLIENT_KEY",
    );
  }
  if (apiKey !== undefined) return async () => apiKeyCredential(apiKey, "CLAVIGER_API_KEY");
  if (apiKeyFile !== undefined)
    return async () => apiKeyCredential((await readSecretFile(apiKeyFile)).trim(), apiKeyFile);
  if (!hasCertificate) return undefined;
  if (certificate === undefined || key === undefined) {
    throw settingsFailure("half a client certificate", "set both CLAVIGER_CLIENT_CERT and CLAVIGER_CLIENT_KEY");
  }
  return async () => ({
    kind: "certificate",
    certificate: await readPem(certificate),
    key: new Secret(await readSecretFile(key)),
  });
}

async function fileLayer(path: string): Promise<Layer | undefined> {
  const file = await readOwned(path);
  if (file === undefined) return undefined;
  const content = parseFile(path, file.text);
  const text = (name: string): string | undefined => textAt(content, name) || undefined;
  const [cacert, apiKey] = [text("cacert"), text("apiKey")];
  if (apiKey !== undefined) refuseExposed(file);
  return {
    source: path,
    address: text("address"),
    cacert: cacert === undefined ? undefined : resolve(dirname(path), cacert),
    namespace: text("namespace"),
    credential: apiKey === undefined ? undefined : async () => apiKeyCredential(apiKey, path),
  };
}

function parseFile(path: string, text: string): Resource {
  try {
    const content: unknown = JSON.parse(text);
    if (isResource(content)) return content;
  } catch {
    // Told below; the parser's own message may quote the secret.
  }
  throw new Failure(EXIT.refused, {
    what: `cannot use ${path}`,
    code: "MALFORMED_JSON",
    why: "it is not one JSON object",
    next: 'write { "address": …, "cacert": …, "apiKey": …, "namespace": … }, or remove the file',
  });
}

/** Header values are one line of printable ASCII; anything else was not made by a gateway. */
function apiKeyCredential(secret: string, source: string): Credential {
  if (/^[\x21-\x7e]+$/u.test(secret)) return { kind: "api-key", secret: new Secret(secret) };
  throw new Failure(EXIT.refused, {
    what: `the API key of ${source} is not one`,
    code: "UNAUTHENTICATED",
    why: "wanted one word of printable ASCII",
    next: "give the API key as it was printed when it was made",
  });
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/u;

function parseAddress(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !["https:", "http:"].includes(url.protocol))
    throw badAddress("the gateway's address is not an https URL");
  if (url.username !== "" || url.password !== "") throw badAddress("the gateway's address holds a credential");
  if (url.search !== "" || url.hash !== "") throw badAddress("the gateway's address holds more than a place");
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname)) {
    throw badAddress(`${url.host} would get the credential over plain HTTP, which is for loopback addresses alone`);
  }
  return url;
}

function badAddress(what: string): Failure {
  return settingsFailure(what, "give an address such as https://127.0.0.1:8443");
}

function noAddress(): Failure {
  return settingsFailure(
    "no gateway is known",
    "start one here with npx claviger serve, or name one with --address, CLAVIGER_ADDR or ~/.config/claviger/client.json",
  );
}
