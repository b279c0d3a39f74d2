import { createPrivateKey, X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { createLocalAuthority, issueServerCertificate, wantsRenewal } from "#http/local-authority.ts";

const NOW = Date.UTC(2026, 0, 2);
const DAY_MS = 86_400_000;
const authority = await createLocalAuthority(NOW);
const issued = await issueServerCertificate(authority, { host: "kms.example.com", now: NOW });
const ca = new X509Certificate(authority.certificate);
const server = new X509Certificate(issued.certificate);

describe("the local authority", () => {
  it("is a self-signed P-256 authority for ten years, whose key is PKCS#8", () => {
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(Math.round((Date.parse(ca.validTo) - NOW) / DAY_MS)).toBe(3650);
    expect(ca.checkPrivateKey(createPrivateKey({ key: authority.key, format: "der", type: "pkcs8" }))).toBe(true);
  });

  it("makes another key and another serial number each time", async () => {
    const other = await createLocalAuthority(NOW);
    expect(other.key.equals(authority.key)).toBe(false);
    expect(new X509Certificate(other.certificate).serialNumber).not.toBe(ca.serialNumber);
  });
});

describe("a server certificate", () => {
  it("is signed by the authority, which follows it in the file", () => {
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(issued.certificate.match(/BEGIN CERTIFICATE/gu)).toHaveLength(2);
    expect(issued.certificate).toContain(authority.certificate.trim());
    expect(server.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
  });

  it("is valid for 397 days, from a little before now", () => {
    expect(Math.round((Date.parse(server.validTo) - NOW) / DAY_MS)).toBe(397);
    expect(NOW - Date.parse(server.validFrom)).toBe(300_000);
  });

  it.for(["localhost", hostname().toLowerCase(), "kms.example.com"])("names the host %s", (name) => {
    expect(server.checkHost(name)).toBeDefined();
  });

  it.for(["127.0.0.1", "::1"])("names the address %s", (address) => {
    expect(server.checkIP(address)).toBeDefined();
  });

  it("names nothing else", () => {
    expect(server.checkHost("example.com")).toBeUndefined();
    expect(server.checkIP("10.0.0.1")).toBeUndefined();
    expect(server.checkIP("0.0.0.0")).toBeUndefined();
  });

  it("is renewed when fewer than 30 days are left, and when it does not name the host", () => {
    const { certificate } = issued;
    expect(wantsRenewal(certificate, { host: "kms.example.com", now: NOW })).toBe(false);
    expect(wantsRenewal(certificate, { host: "127.0.0.1", now: NOW + 366 * DAY_MS })).toBe(false);
    expect(wantsRenewal(certificate, { host: "127.0.0.1", now: NOW + 368 * DAY_MS })).toBe(true);
    expect(wantsRenewal(certificate, { host: "other.example.com", now: NOW })).toBe(true);
    expect(wantsRenewal(certificate, { host: "10.0.0.1", now: NOW })).toBe(true);
  });

  it.for(["0.0.0.0", "::", "127.0.0.1", "::1", "10.1.2.3", "Kms.Example.Com"])(
    "for the host %s is not renewed at once",
    async (host) => {
      const { certificate } = await issueServerCertificate(authority, { host, now: NOW });
      expect(wantsRenewal(certificate, { host, now: NOW })).toBe(false);
      for (const every of ["0.0.0.0", "::"]) expect(new X509Certificate(certificate).checkIP(every)).toBeUndefined();
    },
  );
});
