import { X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalSubject } from "#core/subject-name.ts";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";
import { PeerCertificates, type PeerRefusal, subjectOf } from "#http/peer-certificates.ts";
import { openServer, type RunningServer } from "#http/server.ts";
import {
  createAuthority,
  type ClientCertificate,
  issue,
  selfSign,
  type Wanted,
} from "../../fakes/client-certificates.ts";

const DAY_MS = 86_400_000;
const now = Date.now(); // TLS has no other clock
const local = await createLocalAuthority(now);
const tls = await issueServerCertificate(local, { host: "127.0.0.1", now });
const ours = await createAuthority();
const foreign = await createAuthority();
const other = await createAuthority("CN=Other");

describe("a listener with a bundle of client authorities", () => {
  let server: RunningServer;
  const peers = new PeerCertificates();
  const clock = { now };
  const refusals: PeerRefusal[] = [];
  beforeAll(async () => {
    server = await openServer({
      host: "127.0.0.1",
      port: 0,
      tls: { ...tls, clientAuthorities: ours.certificate },
      newRequestId: () => "req_1",
      handle: (incoming, response) => response.end(peers.subjectOf(incoming, clock.now) ?? "nobody"),
      peers,
      onPeerRefused: (refusal) => refusals.push(refusal),
    });
  });
  afterAll(async () => {
    await server.close(0);
  });

  /** What the server takes a client for; the error's code where it gives no answer. */
  async function ask(certificate: ClientCertificate | undefined, agent?: Agent, version?: "TLSv1.2"): Promise<string> {
    return await new Promise((resolve) => {
      const options = { ...certificate, ca: local.certificate, ...(version !== undefined && { maxVersion: version }) };
      request(`https://127.0.0.1:${server.port}/`, { ...options, agent: agent ?? false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve(text));
      })
        .on("error", () => resolve("no answer"))
        .end();
    });
  }

  it("knows clients by their certificates, and lets those without one be", async () => {
    expect(await ask(await issue(ours, { subject: "O=Example, CN=a" }))).toBe("CN=a,O=Example");
    expect(await ask(await issue(ours, { uris: ["spiffe://example.org/a"] }))).toBe("spiffe://example.org/a");
    expect(await ask(undefined)).toBe("nobody");
    expect(refusals).toEqual([]);
  });

  it.for([
    { name: "has expired", make: () => issue(ours, { until: now - 1000 }), code: "CERT_HAS_EXPIRED" },
    { name: "is not valid yet", make: () => issue(ours, { from: now + DAY_MS / 2 }), code: "CERT_NOT_YET_VALID" },
    { name: "is self-signed", make: () => selfSign(), code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    { name: "is of another authority", make: () => issue(other), code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    {
      name: "is of an authority with the same name",
      make: () => issue(foreign),
      code: "CERT_SIGNATURE_FAILURE",
    },
    {
      name: "brings its foreign authority along",
      make: async () => {
        const made = await issue(other);
        return { ...made, cert: `${made.cert}\n${other.certificate}` };
      },
      code: "SELF_SIGNED_CERT_IN_CHAIN",
    },
    {
      name: "is for servers",
      make: () => issue(ours, { usage: "server" }),
      code: "INVALID_PURPOSE",
    },
  ])("ends the connection of a certificate that $name, and answers nothing", async ({ make, code }) => {
    for (const version of [undefined, "TLSv1.2"] as const) {
      refusals.length = 0;
      expect(await ask(await make(), undefined, version)).toBe("no answer");
      expect(refusals).toMatchObject([{ code, address: "127.0.0.1", subject: "CN=client,O=Example" }]);
    }
  });

  it("does not know a client whose certificate ends while it is connected", async () => {
    const agent = new Agent({ keepAlive: true });
    const certificate = await issue(ours, { until: now + 60_000 });
    expect(await ask(certificate, agent)).toBe("CN=client,O=Example");
    clock.now = now + 60_000;
    expect(await ask(certificate, agent)).toBe("nobody");
    clock.now = now;
    agent.destroy();
  });

  it("never resumes a session, so that every connection shows its certificate", async () => {
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
    const certificate = await issue(ours);
    const reused: boolean[] = [];
    for (let n = 0; n < 3; n += 1) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(`https://127.0.0.1:${server.port}/`, { ...certificate, ca: local.certificate, agent });
        sent.on("response", (response) => {
          reused.push((response.socket as import("node:tls").TLSSocket).isSessionReused());
          response.resume().on("end", resolve);
        });
        sent.on("error", reject).end();
      });
    }
    expect(reused).toEqual([false, false, false]);
    agent.destroy();
  });

  it("takes an authority of the bundle for what it is, whoever has signed that one", async () => {
    const issuing = await createAuthority("CN=Issuing", other);
    const certificate = await issue(issuing);
    server.renew({ ...tls, clientAuthorities: issuing.certificate });
    expect([await ask(certificate), await ask(await issue(other))]).toEqual(["CN=client,O=Example", "no answer"]);
    server.renew({ ...tls, clientAuthorities: ours.certificate });
  });

  it("takes another bundle at once, and forgets whom the one before let in", async () => {
    const agent = new Agent({ keepAlive: true });
    const [before, after] = [await issue(ours), await issue(foreign)];
    expect(await ask(before, agent)).toBe("CN=client,O=Example");
    server.renew({ ...tls, clientAuthorities: foreign.certificate });
    expect(["nobody", "no answer"]).toContain(await ask(before, agent));
    expect([await ask(before), await ask(after)]).toEqual(["no answer", "CN=client,O=Example"]);
    expect(() => server.renew({ ...tls, key: "no key", clientAuthorities: ours.certificate })).toThrow();
    expect(await ask(after)).toBe("CN=client,O=Example");
    server.renew({ ...tls, clientAuthorities: ours.certificate });
    agent.destroy();
  });
});

describe("the name of a certificate", () => {
  const name = async (wanted: Wanted): Promise<string | undefined> =>
    subjectOf(new X509Certificate((await issue(ours, wanted)).cert));

  it("is its SPIFFE id, and its subject where it has none", async () => {
    expect(await name({ subject: "CN=a", uris: ["https://example.org"] })).toBe("CN=a");
    expect(await name({ subject: "CN=a", uris: ["spiffe://example.org/a"] })).toBe("spiffe://example.org/a");
  });

  it.for([
    { uris: ["spiffe://example.org/a", "spiffe://example.org/b"] },
    { uris: ["https://example.org", "spiffe://example.org/a"] },
    { uris: ["spiffe://Example.org/a"] },
    { uris: ["spiffe://example.org/a/../b"] },
  ])("is none where a SPIFFE id is not alone or not in its form: $uris", async ({ uris }) => {
    expect(await name({ subject: "CN=a", uris })).toBeUndefined();
  });

  it("is the one that OpenSSL writes for RFC 2253, but for what RFC 4514 leaves unescaped", () => {
    expect(subjectOf(new X509Certificate(BY_OPENSSL))).toBe(canonicalSubject(WRITTEN_BY_OPENSSL));
    expect(canonicalSubject(WRITTEN_BY_OPENSSL)).toContain("Jöhn");
  });
});

/** Made by `openssl req -x509 -utf8 -subj '/C=DE/O=Acme, Inc./OU=b+OU=a/CN=…/emailAddress=a@b.c'`; OpenSSL 3.0. */
const BY_OPENSSL = `-----BEGIN CERTIFICATE-----
MIICLTCCAdOgAwIBAgIUIuKJT+X9peeFvQeM6KY4GGnBTpgwCgYIKoZIzj0EAwIw
bDELMAkGA1UEBhMCREUxEzARBgNVBAoMCkFjbWUsIEluYy4xFDAIBgNVBAsMAWEw
CAYDVQQLDAFiMRwwGgYDVQQDDBNKw7ZobiAieCIgXCA8eT47ICMxMRQwEgYJKoZI
hvcNAQkBFgVhQGIuYzAeFw0yNjExMjUwMzMzMDRaFw0zNjExMjIwMzMzMDRaMGwx
CzAJBgNVBAYTAkRFMRMwEQYDVQQKDApBY21lLCBJbmMuMRQwCAYDVQQLDAFhMAgG
A1UECwwBYjEcMBoGA1UEAwwTSsO2aG4gIngiIFwgPHk+OyAjMTEUMBIGCSqGSIb3
DQEJARYFYUBiLmMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASUlmoQiQSR3/TA
AYYqZOAC815de/p44eI53s7mIKJ3AGRulMU+leQiF0P6Z48CLJ4C2Wo7rQG45zbo
xLksHKYHo1MwUTAdBgNVHQ4EFgQU+6j/7bZfcdVoirDIBbMIkpbbwNAwHwYDVR0j
BBgwFoAU+6j/7bZfcdVoirDIBbMIkpbbwNAwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEAjcgoZHZXVEZv6OMHFjJAM5NlpfzMKzoXQLk5203RjC4C
IHVczSBh3RofromBwWrMLbpCcgbmalhA+PqhD2bTqGEV
-----END CERTIFICATE-----`;
/** By `openssl x509 -noout -subject -nameopt RFC2253`. */
const WRITTEN_BY_OPENSSL = String.raw`emailAddress=a@b.c,CN=J\C3\B6hn \"x\" \\ \<y\>\; #1,OU=b+OU=a,O=Acme\, Inc.,C=DE`;
