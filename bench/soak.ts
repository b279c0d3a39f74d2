// npm run soak -- --minutes 60: mixed traffic against a gateway whose cloud comes and goes. Memory and file descriptors must be flat at the end.
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type AwsKmsFake, openAwsKmsFake } from "../test/fakes/aws-kms/fake.ts";
import { type Answer, Gateway } from "../test/e2e/live-gateway.ts";
import { openDescriptors, residentMib } from "./process-stats.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" } } });
const totalMs = Number(values.minutes) * 60_000;
if (!(totalMs > 0)) throw new Error("--minutes: wanted a number above 0");

const SAMPLES = 60;
const WORKERS = 4;
/** The heap has its size after some 200,000 requests: a short run has them only in its third quarter, and tells of great leaks alone. */
const BASE_QUARTER = totalMs < 10 * 60_000 ? 2 : 1;
/** How far the last quarter's median may stand above that of the base. */
const BOUNDS = { residentShare: 1.25, residentMib: 24, descriptors: 5 } as const;
const HELLO = Buffer.from("hello").toString("base64");

type Sample = { readonly residentMib: number; readonly descriptors: number };
type Counts = { requests: number; readonly unexpected: string[] };

const fake = await openAwsKmsFake();
const gateway = await Gateway.start({ config: configuration(fake) });
try {
  process.exitCode = await soak();
} finally {
  await gateway[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
}

async function soak(): Promise<number> {
  const counts: Counts = { requests: 0, unexpected: [] };
  const endMs = performance.now() + totalMs;
  await expectStatus(counts, 201, gateway.ask({ method: "POST", path: "/v1/keys", body: { name: "shared" } }));
  const work = Array.from({ length: WORKERS }, async (_, worker) => {
    for (let round = 0; performance.now() < endMs; round += 1) await oneRound(counts, worker, round);
  });
  const samples = await sample(endMs);
  await Promise.all(work);
  return report(counts, samples);
}

/** Takes the cloud away and gives it back while it measures. */
async function sample(endMs: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let at = 0; performance.now() < endMs; at += 1) {
    await pause(totalMs / SAMPLES);
    if (at % 10 === 4) await fake.stop();
    if (at % 10 === 8) await fake.start();
    samples.push({ residentMib: residentMib(gateway.pid), descriptors: openDescriptors(gateway.pid) });
  }
  return samples;
}

async function oneRound(counts: Counts, worker: number, round: number): Promise<void> {
  const context = { worker: String(worker), round: String(round) };
  const sealed = await expectStatus(counts, 200, operate("shared", "encrypt", { plaintext: HELLO, context }));
  const { ciphertext } = sealed.json;
  const opened = await expectStatus(counts, 200, operate("shared", "decrypt", { ciphertext, context }));
  if (opened.json["plaintext"] !== HELLO) counts.unexpected.push("another plaintext came back");
  await expectStatus(counts, 400, operate("shared", "decrypt", { ciphertext, context: { worker: "another" } }));
  await expectStatus(counts, 401, gateway.ask({ path: "/v1/keys", apiKey: "clv_sk_nobody" }));
  if (round % 50 === 0)
    await expectStatus(
      counts,
      201,
      gateway.ask({ method: "POST", path: "/v1/keys", body: { name: `k-${worker}-${round}` } }),
    );
  if (round % 200 === 100 && worker === 0) await expectStatus(counts, 200, operate("shared", "rotate", {}));
  if (round % 100 === 0) await expectStatus(counts, 200, gateway.ask({ path: "/v1/keys?limit=10" }));
}

function operate(key: string, operation: string, body: object): Promise<Answer> {
  return gateway.ask({ method: "POST", path: `/v1/keys/${key}/${operation}`, body });
}

async function expectStatus(counts: Counts, status: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  counts.requests += 1;
  if (answer.status !== status)
    counts.unexpected.push(`wanted ${status}, got ${answer.status} ${String(answer.json["code"])}`);
  return answer;
}

function report(counts: Counts, samples: readonly Sample[]): number {
  const quarter = Math.floor(samples.length / 4);
  const early = samples.slice(BASE_QUARTER * quarter, (BASE_QUARTER + 1) * quarter);
  const late = samples.slice(-quarter);
  const resident = [median(early.map((one) => one.residentMib)), median(late.map((one) => one.residentMib))] as const;
  const descriptors = [
    median(early.map((one) => one.descriptors)),
    median(late.map((one) => one.descriptors)),
  ] as const;
  const leaks = resident[1] > Math.max(resident[0] * BOUNDS.residentShare, resident[0] + BOUNDS.residentMib);
  const holds = descriptors[1] > descriptors[0] + BOUNDS.descriptors;
  console.log(`${counts.requests} requests in ${values.minutes} min, ${counts.unexpected.length} unexpected answers`);
  console.log(
    `resident memory: ${resident[0].toFixed(0)} -> ${resident[1].toFixed(0)} MiB${leaks ? "  NOT FLAT" : ""}`,
  );
  console.log(`file descriptors: ${descriptors[0]} -> ${descriptors[1]}${holds ? "  NOT FLAT" : ""}`);
  for (const line of new Set(counts.unexpected)) console.log(line);
  return leaks || holds || counts.unexpected.length > 0 ? 1 : 0;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function configuration({ endpoint }: AwsKmsFake): string {
  const credentials = "{ data: { accessKeyId: soak, secretAccessKey: soak } }";
  return [
    "providers:",
    `  aws: { kind: aws-kms, region: eu-west-1, endpoint: "${endpoint}", credentials: ${credentials} }`,
    "  hsm: { kind: local-hsm }",
    "routes:",
    "  - { name: default, place: { holders: [aws, hsm], minimum: 2 } }",
    "listen: { port: 0 }",
    "envelope: { refreshMs: 2000, hardTtlMs: 600000 }",
    "",
  ].join("\n");
}
