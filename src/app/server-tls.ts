import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import type { Config } from "#config/schema.ts";
import {
  createLocalAuthority,
  issueServerCertificate,
  type LocalAuthority,
  wantsRenewal,
} from "#http/local-authority.ts";
import type { Tls } from "#http/server.ts";
import { readClientAuthorities } from "./client-authorities.ts";
import { obtainSecret } from "./own-secrets.ts";
import type { RootKey } from "./root.ts";

const AUTHORITY_FILE = "ca.pem";
const CERTIFICATE_FILE = "server.pem";
const KEY_FILE = "server-key.pem";

export type ServerTlsInput = {
  readonly config: Config;
  readonly dataFolder: string;
  readonly store: Store;
  readonly roots: readonly RootKey[];
  readonly sources: Sources;
};

/**
 * The certificate of the listener: the configured one, or one that the local authority signs and that is made anew before it runs out.
 * The authority's key is sealed in the store; its certificate, the server's and the server's key are files of the data folder.
 */
export async function serverTls(input: ServerTlsInput): Promise<Tls> {
  return { ...(await ownTls(input)), ...(await clientAuthorities(input.config)) };
}

/** The files that the listener's certificates stand in. */
export function tlsPaths({ listen: { tls, clientCertificates } }: Config, dataFolder: string): readonly string[] {
  const own = tls ?? { certificate: join(dataFolder, CERTIFICATE_FILE), key: join(dataFolder, KEY_FILE) };
  return [own.certificate, own.key, ...(clientCertificates === null ? [] : [clientCertificates])];
}

/** What those files say now. Rejects with a sentence where one cannot be read or they do not fit together. */
export async function readTlsFiles(config: Config, dataFolder: string): Promise<Tls> {
  const [certificate = "", key = ""] = tlsPaths(config, dataFolder);
  return { ...(await readTls(certificate, key)), ...(await clientAuthorities(config)) };
}

async function clientAuthorities({ listen }: Config): Promise<Pick<Tls, "clientAuthorities">> {
  if (listen.clientCertificates === null) return {};
  return { clientAuthorities: await readClientAuthorities(listen.clientCertificates) };
}

async function ownTls({ config, dataFolder, store, roots, sources }: ServerTlsInput): Promise<Tls> {
  const { tls, host } = config.listen;
  if (tls !== null) return await readTls(tls.certificate, tls.key);
  const made = await obtainSecret({ store, roots, sources }, "local-authority", async () => {
    const { certificate, key } = await createLocalAuthority(sources.clock.now());
    return { secret: key, publicPart: certificate };
  });
  const authority: LocalAuthority = { certificate: made.publicPart, key: made.secret };
  try {
    return await currentCertificate(authority, { dataFolder, host, now: sources.clock.now() });
  } finally {
    made.secret.fill(0);
  }
}

/** The certificate of the listener as it is there, before the store can be read; undefined where none was made yet. */
export async function findServerTls(
  { listen: { tls } }: Config,
  dataFolder: string,
): Promise<{ readonly tls: Tls } | undefined> {
  if (tls !== null) return { tls: await readTls(tls.certificate, tls.key) };
  try {
    const certificate = await readFile(join(dataFolder, CERTIFICATE_FILE), "utf8");
    const key = await readFile(join(dataFolder, KEY_FILE), "utf8");
    return isPair(certificate, key) ? { tls: { certificate, key } } : undefined;
  } catch {
    return undefined;
  }
}

async function readTls(certificate: string, key: string): Promise<Tls> {
  const tls = { certificate: await readPart(certificate), key: await readPart(key) };
  let fits: boolean;
  try {
    fits = isPair(tls.certificate, tls.key);
  } catch (error) {
    throw new Error(`listen.tls: ${certificate} and ${key}: wanted a certificate and its key in PEM`, { cause: error });
  }
  if (!fits) throw new Error(`listen.tls: the key ${key} is not that of the certificate ${certificate}`);
  return tls;
}

async function readPart(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`listen.tls: cannot be read: ${error instanceof Error ? error.message : "unknown"}`, {
      cause: error,
    });
  }
}

async function currentCertificate(
  authority: LocalAuthority,
  { dataFolder, host, now }: { readonly dataFolder: string; readonly host: string; readonly now: number },
): Promise<Tls> {
  await replace(join(dataFolder, AUTHORITY_FILE), `${authority.certificate}\n`);
  const stored = await findStored(dataFolder, authority);
  if (stored !== undefined && !wantsRenewal(stored.certificate, { host, now })) return stored;
  const issued = await issueServerCertificate(authority, { host, now });
  await replace(join(dataFolder, KEY_FILE), `${issued.key}\n`);
  await replace(join(dataFolder, CERTIFICATE_FILE), issued.certificate);
  return issued;
}

/** The stored pair, if it is whole and of this authority. */
async function findStored(dataFolder: string, authority: LocalAuthority): Promise<Tls | undefined> {
  try {
    const certificate = await readFile(join(dataFolder, CERTIFICATE_FILE), "utf8");
    const key = await readFile(join(dataFolder, KEY_FILE), "utf8");
    const fits = certificate.includes(authority.certificate.trim()) && isPair(certificate, key);
    return fits ? { certificate, key } : undefined;
  } catch {
    return undefined; // the first start, or somebody has cleared them away
  }
}

/** Two processes that renew at once may leave the certificate of one beside the key of the other. */
function isPair(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
