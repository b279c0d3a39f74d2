import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "#config/parse.ts";
import type { Config } from "#config/schema.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";
import { certificateFindings } from "#offline/data-findings.ts";
import { doctorOffline, type DoctorOptions } from "#offline/doctor.ts";

const host = { environment: {}, readText: () => "" };
const DAY_MS = 86_400_000;
const PROVIDERS = "providers:\n  a: { kind: local-hsm }\n";

let folder: string;
let data: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claviger-doctor-"));
  data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function results(options: Partial<DoctorOptions> = {}): Promise<readonly string[]> {
  const findings = await doctorOffline({ data, ...options }, host);
  return findings.map(({ check, result }) => `${check} ${result}`);
}

async function configFile(text: string): Promise<string> {
  const file = join(folder, "config.yaml");
  await writeFile(file, text);
  return file;
}

describe("a configuration", () => {
  it("that is absent is the default, which has one failure domain and no anchor", async () => {
    expect(await results()).toEqual(["configuration ok", "failure domains nag", "audit anchors nag", "data folder ok"]);
  });

  it("with two failure domains and an anchor is well", async () => {
    const config = await configFile(
      "providers:\n  a: { kind: local-hsm, failureDomain: x }\n  b: { kind: local-hsm, failureDomain: y }\naudit: { anchors: [/elsewhere] }\n",
    );
    expect(await results({ config })).toEqual([
      "configuration ok",
      "failure domains ok",
      "audit anchors ok",
      "data folder ok",
    ]);
  });

  it("with mistakes tells each, with its place", async () => {
    const config = await configFile("providers:\n  a: { kind: local-hsn }\nrutes: []\n");
    const findings = await doctorOffline({ config, data }, host);
    expect(findings.map(({ result, detail }) => [result, detail.startsWith(`${config}:`)])).toEqual([
      ["fail", true],
      ["fail", true],
    ]);
    expect(await results({ config: join(folder, "nothing.yaml") })).toEqual(["configuration fail"]);
  });
});

describe("a named provider", () => {
  it("that opens is well", async () => {
    expect(await results({ provider: "hsm-a" })).toContain("provider hsm-a ok");
  });

  it("that is not configured, or does not open, is told", async () => {
    expect(await results({ provider: "hsm-z" })).toContain("provider hsm-z fail");
    await writeFile(join(data, "hsm-a"), "a file where a folder should be");
    expect(await results({ provider: "hsm-a" })).toContain("provider hsm-a fail");
  });
});

describe("a data folder", () => {
  it("that is not there yet is no fault", async () => {
    expect(await results({ data: join(folder, "nothing") })).toContain("data folder ok");
  });

  it("that others may read is told, with each file", async () => {
    await writeFile(join(data, "claviger.db"), "");
    await chmod(join(data, "claviger.db"), 0o640);
    await writeFile(join(data, "journal.jsonl"), "", { mode: 0o600 });
    await chmod(data, 0o755);
    const findings = await doctorOffline({ data }, host);
    expect(findings.filter(({ check }) => check === "data folder").map(({ detail }) => detail.split(":")[0])).toEqual([
      `group or others may read ${data}`,
      `group or others may read ${join(data, "claviger.db")}`,
    ]);
  });
});

describe("a journal", () => {
  beforeEach(async () => {
    await writeFile(join(data, "claviger.db"), "", { mode: 0o600 });
  });

  it("on the disk of the database is worth a word", async () => {
    await writeFile(join(data, "journal.jsonl"), "", { mode: 0o600 });
    expect(await results()).toContain("journal nag");
  });

  it("that is gone is a fault", async () => {
    expect(await results()).toContain("journal fail");
  });

  it("on another disk is well", async () => {
    const config = await configFile(
      "providers:\n  a: { kind: local-hsm }\njournal: [ { path: journal.jsonl }, { path: /proc/self/status } ]\n",
    );
    await writeFile(join(data, "journal.jsonl"), "", { mode: 0o600 });
    expect(await results({ config })).toContain("journal ok");
  });
});

describe("the trust of clients", () => {
  it("in the local authority is told for four of them", async () => {
    await writeFile(join(data, "ca.pem"), (await createLocalAuthority(Date.now())).certificate, { mode: 0o600 });
    const findings = (await doctorOffline({ data }, host)).filter(({ check }) => check.startsWith("trust in "));
    expect(findings.map(({ check }) => check)).toEqual([
      "trust in curl",
      "trust in Node.js",
      "trust in Python",
      "trust in Java",
    ]);
    for (const { result, detail } of findings)
      expect([result, detail.includes(join(data, "ca.pem"))]).toEqual(["ok", true]);
    await writeFile(join(data, "ca.pem"), "hello");
    expect(await results()).toContain("local authority fail");
  });

  it("is not told where the gateway has a certificate of its own", async () => {
    await writeFile(join(data, "ca.pem"), (await createLocalAuthority(Date.now())).certificate, { mode: 0o600 });
    const config = await configFile(`${PROVIDERS}listen: { tls: { certificate: a.pem, key: a.key } }\n`);
    expect((await results({ config })).filter((result) => result.startsWith("trust"))).toEqual([]);
  });

  it("of their own certificates is told for each authority of the bundle", async () => {
    const bundle = join(folder, "clients.pem");
    const config = await configFile(`${PROVIDERS}listen: { clientCertificates: ${bundle} }\n`);
    const now = Date.now();
    const { certificate } = await issueServerCertificate(await createLocalAuthority(now), { host: "127.0.0.1", now });
    const [server = "", authority = ""] = certificate.split(/(?<=-----END CERTIFICATE-----\n)/u);
    const told = async (): Promise<readonly string[]> =>
      (await results({ config })).filter((result) => result.startsWith("client authorities"));
    expect(await told()).toEqual(["client authorities fail"]);
    await writeFile(bundle, `${authority}${authority}`);
    expect(await told()).toEqual(["client authorities ok", "client authorities ok"]);
    await writeFile(bundle, `${authority}${server}`);
    expect(await told()).toEqual(["client authorities fail"]);
    await writeFile(bundle, "hello");
    expect(await told()).toEqual(["client authorities fail"]);
  });
});

describe("a certificate", () => {
  const config = async (text = PROVIDERS): Promise<Config> => {
    const parsed = await parseConfig({ text, kinds: PROVIDER_KINDS, environment: {}, readFile: () => "" });
    if (!parsed.ok) throw new Error("the configuration is valid");
    return parsed.config;
  };

  it("is well, ends soon, or has ended", async () => {
    const now = Date.now();
    const { certificate } = await issueServerCertificate(await createLocalAuthority(now), { host: "127.0.0.1", now });
    await writeFile(join(data, "server.pem"), certificate);
    const at = async (days: number): Promise<string | undefined> =>
      (await certificateFindings(await config(), data, now + days * DAY_MS))[0]?.result;
    expect([await at(0), await at(380), await at(398)]).toEqual(["ok", "nag", "fail"]);
  });

  it("that is none is a fault; one that is not made yet is not", async () => {
    expect(await certificateFindings(await config(), data)).toEqual([]);
    await writeFile(join(data, "server.pem"), "hello");
    expect((await certificateFindings(await config(), data))[0]?.result).toBe("fail");
  });

  it("that the configuration names and is not there is a fault", async () => {
    const named = await config(`${PROVIDERS}listen: { tls: { certificate: /nothing.pem, key: /nothing.pem } }\n`);
    expect((await certificateFindings(named, data))[0]?.result).toBe("fail");
  });
});
