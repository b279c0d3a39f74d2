// npm run bench: operations through REST against a floor in the same run, and starts with many keys. Writes a report with ratios.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Gateway } from "../test/e2e/live-gateway.ts";
import { openConnections, type Shot, type Target } from "./load.ts";
import { interleave, median, medianOf, met, type Rounds, startChild, type Subject } from "./measure.ts";
import { measureNative, nativeTable } from "./native.ts";
import { cpuMicros, residentMib } from "./process-stats.ts";
import { sealingMicros } from "./sealing.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const PLAN = values.quick
  ? { rounds: 1, roundMs: 500, seals: 500, keys: [100] }
  : { rounds: 7, roundMs: 2000, seals: 10_000, keys: [1000, 10_000, 100_000] };
const CONNECTIONS = 16;
const BATCH = 100;
const BYTES = randomBytes(1024);
const PLAINTEXT = BYTES.toString("base64");
const SIGNING = ["EC-P256-SHA256", "RSA-2048-PSS-SHA256", "ED25519", "ML-DSA-65"] as const;

type Start = {
  readonly keys: number;
  readonly readyMs: number;
  readonly cpuMs: number;
  readonly residentMib: number;
};

const lines = [...heading()];
const rounds = await measureOperations();
lines.push(...operationTable(rounds));
lines.push(...signingTable(await measureSigning()));
lines.push(...nativeTable(await measureNative(PLAINTEXT, PLAN)));
lines.push(...startTable(await measureStarts()));
const report = `${lines.join("\n")}\n`;
process.stdout.write(report);
if (!values.quick) {
  mkdirSync("bench/reports", { recursive: true });
  const file = `bench/reports/${new Date().toISOString().slice(0, 10)}.md`;
  writeFileSync(file, report);
  execFileSync("node_modules/.bin/oxfmt", [file]); // as every file of the repository
}

async function measureOperations(): Promise<Rounds> {
  await using floor = await startChild<Target>("floor.ts");
  await using gateway = await Gateway.start();
  const target = { port: Number(gateway.address.port), ca: gateway.ca };
  const headers = { Authorization: `Bearer ${gateway.apiKey}` };
  await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: "bench" } });
  const sealed = await gateway.ask({
    method: "POST",
    path: "/v1/keys/bench/encrypt",
    body: { plaintext: PLAINTEXT },
  });
  const shots = [
    {
      name: "floor",
      pid: floor.pid,
      target: floor.told,
      items: 1,
      shot: { path: "/encrypt", headers: {}, body: JSON.stringify({ plaintext: PLAINTEXT }) },
    },
    {
      name: "encrypt",
      pid: gateway.pid,
      target,
      items: 1,
      shot: shotOf("encrypt", headers, { plaintext: PLAINTEXT }),
    },
    {
      name: "decrypt",
      pid: gateway.pid,
      target,
      items: 1,
      shot: shotOf("decrypt", headers, { ciphertext: sealed.json["ciphertext"] }),
    },
    {
      name: `batch of ${BATCH}`,
      pid: gateway.pid,
      target,
      items: BATCH,
      shot: shotOf("encrypt", headers, { items: Array.from({ length: BATCH }, () => ({ plaintext: PLAINTEXT })) }),
    },
  ];
  using stack = new DisposableStack();
  const subjects: Subject[] = [];
  for (const { target: to, ...subject } of shots)
    subjects.push({ ...subject, connections: stack.use(await openConnections(to, CONNECTIONS)) });
  return await interleave(subjects, PLAN);
}

/** Native signatures of the software HSM and portable MACs, each beside the floor that does the same with node:crypto. */
async function measureSigning(): Promise<Rounds> {
  await using floor = await startChild<Target>("floor.ts");
  await using gateway = await Gateway.start();
  const target = { port: Number(gateway.address.port), ca: gateway.ca };
  const headers = { Authorization: `Bearer ${gateway.apiKey}` };
  using stack = new DisposableStack();
  const connections = {
    floor: stack.use(await openConnections(floor.told, CONNECTIONS)),
    gateway: stack.use(await openConnections(target, CONNECTIONS)),
  };
  const message = PLAINTEXT;
  const subjects: Subject[] = [];
  const add = (
    name: string,
    paths: { floor: string; gateway: string },
    bodies: { floor: object; gateway: object },
  ): void => {
    const own = { pid: floor.pid, connections: connections.floor, items: 1 };
    const ours = { pid: gateway.pid, connections: connections.gateway, items: 1 };
    const shot = (path: string, to: Shot["headers"], body: object): Shot => ({
      path,
      headers: to,
      body: JSON.stringify(body),
    });
    subjects.push({ ...own, name: `floor: ${name}`, shot: shot(paths.floor, {}, bodies.floor) });
    subjects.push({ ...ours, name, shot: shot(paths.gateway, headers, bodies.gateway) });
  };
  for (const algorithm of SIGNING) {
    const key = algorithm.toLowerCase();
    await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: key, purpose: "sign", algorithm } });
    const paths = { floor: `/sign/${algorithm}`, gateway: `/v1/keys/${key}/sign` };
    add(`sign ${algorithm}`, paths, { floor: { message }, gateway: { message } });
  }
  const checked = { floor: "/sign/EC-P256-SHA256", gateway: "/v1/keys/ec-p256-sha256/sign" };
  const body = JSON.stringify({ message });
  const made = await connections.floor.ask({ path: checked.floor, headers: {}, body });
  const signed = await connections.gateway.ask({ path: checked.gateway, headers, body });
  const paths = { floor: "/verify/EC-P256-SHA256", gateway: "/v1/keys/ec-p256-sha256/verify" };
  const bodies = {
    floor: { message, signature: made["signature"] },
    gateway: { message, signature: signed["signature"] },
  };
  add("verify EC-P256-SHA256", paths, bodies);
  await gateway.ask({ method: "POST", path: "/v1/keys", body: { name: "mac", purpose: "mac" } });
  add("mac, portable", { floor: "/mac", gateway: "/v1/keys/mac/mac" }, { floor: { message }, gateway: { message } });
  return await interleave(subjects, PLAN);
}

function shotOf(operation: string, headers: Shot["headers"], body: object): Shot {
  return { path: `/v1/keys/bench/${operation}`, headers, body: JSON.stringify(body) };
}

async function measureStarts(): Promise<readonly Start[]> {
  const data = mkdtempSync(join(tmpdir(), "claviger-bench-"));
  try {
    {
      await using first = await Gateway.start({ data });
      await first.ask({ method: "POST", path: "/v1/keys", body: { name: "template" } });
    }
    const starts: Start[] = [];
    for (const keys of PLAN.keys) {
      execFileSync(process.execPath, [new URL("seed.ts", import.meta.url).pathname, data, String(keys)], {
        stdio: "inherit",
      });
      const beganMs = performance.now();
      await using gateway = await Gateway.start({ data });
      const readyMs = performance.now() - beganMs;
      const cpuMs = cpuMicros(gateway.pid) / 1000;
      starts.push({ keys, readyMs, cpuMs, residentMib: residentMib(gateway.pid) });
    }
    return starts;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

function* heading(): Generator<string> {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const [cpu] = cpus();
  yield `# Operations through REST, ${new Date().toISOString().slice(0, 10)}`;
  yield "";
  yield `${cpus().length} × ${cpu?.model ?? "unknown"}, ${process.platform}, Node ${process.versions.node}, commit ${commit}. ${CONNECTIONS} connections, 1 KiB plaintexts,`;
  yield `${PLAN.rounds} rounds of ${PLAN.roundMs} ms in turn; medians (lowest..highest). CPU is the server process's, per item, and what ratios are of: load from`;
  yield "the same machine takes the rest.";
  yield "";
}

function* operationTable(found: Rounds): Generator<string> {
  const floor = median((found.get("floor") ?? []).map(({ cpuMicros: micros }) => micros));
  const single = median((found.get("encrypt") ?? []).map(({ cpuMicros: micros }) => micros));
  const sealing = sealingMicros(BYTES, PLAN.seals);
  const batch = median((found.get(`batch of ${BATCH}`) ?? []).map(({ cpuMicros: micros }) => micros));
  yield "| | items/s | CPU µs per item | p50 ms | p99 ms | floor ÷ it |";
  yield "|---|---|---|---|---|---|";
  for (const [name, list] of found) {
    const cpu = list.map(({ cpuMicros: micros }) => micros);
    const range = `${median(cpu).toFixed(0)} (${Math.min(...cpu).toFixed(0)}..${Math.max(...cpu).toFixed(0)})`;
    const [perSecond, p50, p99] = [
      list.map((one) => one.perSecond),
      list.map((one) => one.p50Ms),
      list.map((one) => one.p99Ms),
    ].map(median);
    yield `| ${name} | ${perSecond?.toFixed(0)} | ${range} | ${p50?.toFixed(1)} | ${p99?.toFixed(1)} | ${(floor / median(cpu)).toFixed(2)} |`;
  }
  yield "";
  const ratio = floor / single;
  const gain = single / batch;
  yield `- Encrypt at least 0.6 of the floor (0.8 is the goal): **${ratio.toFixed(2)}**, ${met(ratio >= 0.6)}.`;
  yield `- A batch of ${BATCH} at least 8 × the items of single calls: **${gain.toFixed(1)} ×**, ${met(gain >= 8)}.`;
  yield "";
  yield `Sealing alone takes ${sealing.toFixed(0)} µs of CPU per item, so that no batch can be more than ${(single / sealing).toFixed(1)} ×.`;
  yield "";
}

function* signingTable(found: Rounds): Generator<string> {
  yield "| 1 KiB messages | items/s | CPU µs per item | floor's | floor ÷ it | p99 ms | floor's |";
  yield "|---|---|---|---|---|---|---|";
  for (const [name, list] of found) {
    const floor = found.get(`floor: ${name}`);
    if (floor === undefined) continue;
    const [cpu, own] = [medianOf(list, "cpuMicros"), medianOf(floor, "cpuMicros")];
    const latency = `${medianOf(list, "p99Ms").toFixed(1)} | ${medianOf(floor, "p99Ms").toFixed(1)}`;
    const perSecond = medianOf(list, "perSecond").toFixed(0);
    yield `| ${name} | ${perSecond} | ${cpu.toFixed(0)} | ${own.toFixed(0)} | ${(own / cpu).toFixed(2)} | ${latency} |`;
  }
  yield "";
}

function* startTable(starts: readonly Start[]): Generator<string> {
  yield "| keys | from start to ready, s | CPU s of it | resident, MiB |";
  yield "|---|---|---|---|";
  for (const { keys, readyMs, cpuMs, residentMib: mib } of starts)
    yield `| ${keys} | ${(readyMs / 1000).toFixed(1)} | ${(cpuMs / 1000).toFixed(1)} | ${mib.toFixed(0)} |`;
  yield "";
  const most = starts.at(-1);
  const isMet = most !== undefined && most.readyMs < 10_000 && most.residentMib < 1024;
  yield `- ${most?.keys} keys in less than 10 s and 1,024 MiB: ${met(isMet)}.`;
}
