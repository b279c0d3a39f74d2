import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** An authority of client certificates, as an operator would run one. */
export type Authority = {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  /** PEM. */
  readonly certificate: string;
};

export type ClientCertificate = { readonly cert: string; readonly key: string };

export type Wanted = {
  /** As a certificate lists it, from the root on. */
  readonly subject?: string;
  readonly uris?: readonly string[];
  /** Epoch milliseconds; a day around now unless told. */
  readonly from?: number;
  readonly until?: number;
  readonly usage?: "client" | "server";
};

/** One of its own; or, under another, one that this other has signed. */
export async function createAuthority(name = "CN=Clients", parent?: Authority): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: name,
    issuer: parent?.name ?? name,
    ...validity({}),
    signingAlgorithm: P256,
    signingKey: (parent?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ] as Extension[],
  });
  return { name, keys, certificate: certificate.toString("pem") };
}

/** A certificate of an authority, with its key in PEM. */
export async function issue(authority: Authority, wanted: Wanted = {}): Promise<ClientCertificate> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: wanted.subject ?? "O=Example, CN=client",
    issuer: authority.name,
    ...validity(wanted),
    signingAlgorithm: P256,
    signingKey: authority.keys.privateKey,
    publicKey: keys.publicKey,
    extensions: extensionsOf(wanted),
  });
  return { cert: certificate.toString("pem"), key: await exportKey(keys) };
}

/** A certificate that vouches for itself. */
export async function selfSign(wanted: Wanted = {}): Promise<ClientCertificate> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: wanted.subject ?? "O=Example, CN=client",
    ...validity(wanted),
    signingAlgorithm: P256,
    keys,
    extensions: extensionsOf(wanted),
  });
  return { cert: certificate.toString("pem"), key: await exportKey(keys) };
}

function extensionsOf({ uris = [], usage = "client" }: Wanted): Extension[] {
  const names = uris.map((value) => ({ type: "url" as const, value }));
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([usage === "client" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth]),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
  ] as Extension[];
}

function validity({ from = Date.now() - DAY_MS, until = Date.now() + DAY_MS }: Wanted): {
  notBefore: Date;
  notAfter: Date;
} {
  return { notBefore: new Date(from), notAfter: new Date(until) };
}

function randomSerial(): string {
  return `01${randomBytes(8).toString("hex")}`;
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  cryptoProvider.set(webcrypto);
  return await webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
}
