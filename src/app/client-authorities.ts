import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu;

/**
 * The authorities whose client certificates are taken: a PEM bundle of them. Rejects with a sentence where the file cannot be read, holds none, or
 * one that is no authority (it would vouch for itself).
 */
export async function readClientAuthorities(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`listen.clientCertificates: ${path} cannot be read (${error.code ?? "unknown"})`, { cause: error });
  });
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error(`listen.clientCertificates: ${path} has no certificate in PEM`);
  for (const [index, pem] of found.entries()) {
    if (!isAuthority(pem))
      throw new Error(`listen.clientCertificates: certificate ${index + 1} of ${path} is not that of an authority`);
  }
  return `${found.join("\n")}\n`;
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
