import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as ParsedCertificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Tls } from "./server.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 397;
const RENEW_DAYS = 30;
const BACKDATE_MS = 300_000;

/** The gateway's own certificate authority: its certificate in PEM, and its private key in PKCS#8 DER, which the caller seals. */
export type LocalAuthority = { readonly certificate: string; readonly key: Buffer };

/** Makes an authority that signs server certificates of this gateway and nothing else (P-256, ten years). */
export async function createLocalAuthority(now: number): Promise<LocalAuthority> {
  cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=Claviger local authority",
    ...validity(now, AUTHORITY_DAYS),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ] as Extension[],
  });
  return {
    certificate: certificate.toString("pem"),
    key: Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

/** Signs a server certificate for this machine's loopback names, its host name and `host` (P-256, 397 days). */
export async function issueServerCertificate(
  { certificate, key }: LocalAuthority,
  { host, now }: { readonly host: string; readonly now: number },
): Promise<Tls> {
  cryptoProvider.set(webcrypto);
  const signingKey = await webcrypto.subtle.importKey("pkcs8", key, P256, false, ["sign"]);
  const keys = await generateKeys();
  const issued = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=claviger",
    issuer: new X509Certificate(certificate).subject.replaceAll("\n", ", "),
    ...validity(now, SERVER_DAYS),
    signingAlgorithm: P256,
    signingKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names(host)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(await new ParsedCertificate(certificate).publicKey.export()),
    ] as Extension[],
  });
  const exported = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${issued.toString("pem")}\n${certificate}\n`,
    key: PemConverter.encode(exported, "PRIVATE KEY"),
  };
}

/** Whether a server certificate has fewer than 30 days left, or does not name one of the names that a new one would. */
export function wantsRenewal(
  certificate: string,
  { host, now }: { readonly host: string; readonly now: number },
): boolean {
  const parsed = new X509Certificate(certificate);
  if (Date.parse(parsed.validTo) - now < RENEW_DAYS * DAY_MS) return true;
  return names(host).some(
    ({ type, value }) => (type === "ip" ? parsed.checkIP(value) : parsed.checkHost(value)) === undefined,
  );
}

/** Loopback, this machine, and the host that is listened on, unless that means every address. */
function names(host: string): { type: "dns" | "ip"; value: string }[] {
  const all = new Set(["localhost", "127.0.0.1", "::1", hostname().toLowerCase()]);
  if (!EVERY_ADDRESS.includes(host)) all.add(host.toLowerCase());
  return [...all].filter((name) => name !== "").map((value) => ({ type: isAddress(value) ? "ip" : "dns", value }));
}

const EVERY_ADDRESS: readonly string[] = ["0.0.0.0", "::"];

function isAddress(host: string): boolean {
  return /^[0-9.]+$/u.test(host) || host.includes(":");
}

function validity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** 127 random bits: positive, and never the same twice (RFC 5280 § 4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString("hex");
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}
