import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "#config/schema.ts";
import type { Finding } from "./finding.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** How clients are told to trust the local authority, in four languages; nothing where the listener has another certificate, or none was made yet. */
export async function localTrustFindings({ listen }: Config, data: string): Promise<readonly Finding[]> {
  if (listen.tls !== null || listen.insecureHttp) return [];
  const path = join(data, "ca.pem");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return [];
  if (authoritiesOf(text) === undefined)
    return [{ check: "local authority", result: "fail", detail: `${path} is not the certificate of an authority` }];
  const keytool = `keytool -importcert -noprompt -alias claviger -file ${path} -keystore trust.jks -storepass changeit`;
  const ways = {
    curl: `--cacert ${path}`,
    "Node.js": `NODE_EXTRA_CA_CERTS=${path}`,
    Python: `REQUESTS_CA_BUNDLE=${path} for requests, SSL_CERT_FILE=${path} for ssl`,
    Java: `${keytool}, then -Djavax.net.ssl.trustStore=trust.jks -Djavax.net.ssl.trustStorePassword=changeit`,
  };
  return Object.entries(ways).map(([client, detail]) => ({ check: `trust in ${client}`, result: "ok", detail }));
}

/** Whether the authorities of client certificates are there, and for how long. */
export async function clientAuthorityFindings({ listen }: Config, now = Date.now()): Promise<readonly Finding[]> {
  const path = listen.clientCertificates;
  if (path === null) return [];
  const check = "client authorities";
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return [{ check, result: "fail", detail: `${path} cannot be read` }];
  const authorities = authoritiesOf(text);
  if (authorities === undefined)
    return [{ check, result: "fail", detail: `${path} is no bundle of authorities in PEM` }];
  return authorities.map(({ subject, validTo }) => {
    const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
    const result = days < 0 ? "fail" : days < SOON_DAYS ? "nag" : "ok";
    const name = subject.split("\n").join(", ");
    return { check, result, detail: `${name} ends ${new Date(validTo).toISOString()}, in ${days} days` };
  });
}

function authoritiesOf(text: string): readonly X509Certificate[] | undefined {
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu) ?? [];
  try {
    const authorities = found.map((pem) => new X509Certificate(pem));
    return authorities.length > 0 && authorities.every(({ ca }) => ca) ? authorities : undefined;
  } catch {
    return undefined;
  }
}
