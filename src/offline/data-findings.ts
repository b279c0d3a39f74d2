import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Config } from "#config/schema.ts";
import type { Finding } from "./finding.ts";

const READABLE_BY_OTHERS = 0o044;

/** Whether others may read what a gateway keeps; nothing is said of a folder that is not there yet. */
export async function folderFindings(data: string): Promise<readonly Finding[]> {
  const names = await readdir(data).catch(() => undefined);
  if (names === undefined) return [{ check: "data folder", result: "ok", detail: `${data} is not there yet` }];
  if (process.platform === "win32") return []; // modes say nothing there
  const open: string[] = [];
  for (const name of ["", ...names]) {
    const found = await stat(join(data, name)).catch(() => undefined);
    if (found !== undefined && (found.mode & READABLE_BY_OTHERS) !== 0)
      open.push(name === "" ? data : join(data, name));
  }
  if (open.length === 0) return [{ check: "data folder", result: "ok", detail: `only its owner reads ${data}` }];
  return open.map((path) => ({
    check: "data folder",
    result: "fail",
    detail: `group or others may read ${path}: chmod go= it`,
  }));
}

/** Whether a journal outlives the disk of the database. */
export async function journalFindings(config: Config, data: string): Promise<readonly Finding[]> {
  const database = await deviceOf(join(data, "claviger.db"));
  if (database === undefined) return [];
  const targets = config.journal.map(({ path }) => (isAbsolute(path) ? path : join(data, path)));
  const findings: Finding[] = [];
  const devices: number[] = [];
  for (const path of targets) {
    const device = await deviceOf(path);
    if (device === undefined) findings.push({ check: "journal", result: "fail", detail: `${path} cannot be read` });
    else devices.push(device);
  }
  if (devices.length > 0 && devices.every((device) => device === database)) {
    const detail = `it is on the same disk as the database (${targets.join(", ")}): add a target on another`;
    return [...findings, { check: "journal", result: "nag", detail }];
  }
  return findings.length > 0 ? findings : [{ check: "journal", result: "ok", detail: targets.join(", ") }];
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** How long the server's certificate is good; nothing is said where none is made yet. */
export async function certificateFindings(config: Config, data: string, now = Date.now()): Promise<readonly Finding[]> {
  const { insecureHttp, tls } = config.listen;
  const text = insecureHttp
    ? undefined
    : await readFile(tls?.certificate ?? join(data, "server.pem"), "utf8").catch(() => undefined);
  if (text === undefined) {
    return tls === null ? [] : [{ check: "certificate", result: "fail", detail: `${tls.certificate} cannot be read` }];
  }
  const end = endOf(text);
  if (end === undefined) return [{ check: "certificate", result: "fail", detail: "the server's certificate is none" }];
  const days = Math.floor((end - now) / DAY_MS);
  const result = days < 0 ? "fail" : days < SOON_DAYS ? "nag" : "ok";
  return [{ check: "certificate", result, detail: `it ends ${new Date(end).toISOString()}, in ${days} days` }];
}

function endOf(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}

async function deviceOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.dev;
}
