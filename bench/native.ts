import { configOf, awsLine } from "../test/e2e/two-providers.ts";
import { Gateway } from "../test/e2e/live-gateway.ts";
import { type Connections, openConnections, type Shot, type Target } from "./load.ts";
import { interleave, medianOf, met, type Plan, type Rounds, startChild, type Subject } from "./measure.ts";

const MANY = 16;
const OPERATIONS = ["encrypt", "decrypt", "sign"] as const;

type Side = {
  readonly name: string;
  readonly pid: number;
  readonly one: Connections;
  readonly many: Connections;
  readonly shots: Readonly<Record<string, Shot>>;
};

/** Operations of native keys in the fake of AWS KMS, through the gateway and through an Express handler that uses the bare SDK. */
export async function measureNative(plaintext: string, plan: Plan): Promise<Rounds> {
  await using fake = await startChild<{ region: string; endpoint: string }>("aws-fake.ts");
  const { region, endpoint } = fake.told;
  await using floor = await startChild<Target>("floor.ts", ["--aws", endpoint]);
  await using gateway = await Gateway.start({
    config: configOf({ providers: [awsLine("aws", { region, endpoint })], minimum: 1 }),
  });
  using stack = new DisposableStack();
  const open = async (target: Target) => ({
    one: stack.use(await openConnections(target, 1)),
    many: stack.use(await openConnections(target, MANY)),
  });
  for (const purpose of ["encrypt", "sign"])
    await gateway.ask({
      method: "POST",
      path: "/v1/keys",
      body: { name: purpose, purpose, custody: { kind: "native", provider: "aws" } },
    });
  const headers = { Authorization: `Bearer ${gateway.apiKey}` };
  const sides: Side[] = [
    {
      name: "floor: ",
      pid: floor.pid,
      ...(await open(floor.told)),
      shots: shotsOf({}, (operation) => `/aws/${operation}`, plaintext),
    },
    {
      name: "",
      pid: gateway.pid,
      ...(await open({ port: Number(gateway.address.port), ca: gateway.ca })),
      shots: shotsOf(
        headers,
        (operation) => `/v1/keys/${operation === "sign" ? "sign" : "encrypt"}/${operation}`,
        plaintext,
      ),
    },
  ];
  return await interleave(await subjectsOf(sides), plan);
}

async function subjectsOf(sides: readonly Side[]): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  const shots = await Promise.all(sides.map(withCiphertext));
  for (const operation of OPERATIONS) {
    for (const [n, { name, pid, one, many }] of sides.entries()) {
      const shot = shots[n]?.[operation];
      if (shot === undefined) throw new Error(`wanted a request for ${operation}`);
      subjects.push({ name: `${name}${operation}`, pid, connections: many, shot, items: 1 });
      subjects.push({ name: `${name}${operation}, alone`, pid, connections: one, shot, items: 1 });
    }
  }
  return subjects;
}

function shotsOf(
  headers: Shot["headers"],
  pathOf: (operation: string) => string,
  plaintext: string,
): Readonly<Record<string, Shot>> {
  const shot = (operation: string, body: object): Shot => ({
    path: pathOf(operation),
    headers,
    body: JSON.stringify(body),
  });
  return {
    encrypt: shot("encrypt", { plaintext }),
    decrypt: shot("decrypt", {}),
    sign: shot("sign", { message: plaintext }),
  };
}

async function withCiphertext({ one, shots }: Side): Promise<Readonly<Record<string, Shot>>> {
  const { encrypt, decrypt } = shots;
  if (encrypt === undefined || decrypt === undefined) throw new Error("wanted requests to encrypt and decrypt");
  const { ciphertext } = await one.ask(encrypt);
  return { ...shots, decrypt: { ...decrypt, body: JSON.stringify({ ciphertext }) } };
}

/** What was found, against what is wanted: less than 1 ms more at p99, at least 0.6 of the floor's operations per CPU second. */
export function* nativeTable(found: Rounds): Generator<string> {
  yield "| native, AWS KMS (fake) | items/s | CPU µs per item | floor's | floor ÷ it | alone: p99 ms | floor's | added |";
  yield "|---|---|---|---|---|---|---|---|";
  const ratios: number[] = [];
  const added: number[] = [];
  for (const operation of OPERATIONS) {
    const [ours, floors] = [found.get(operation), found.get(`floor: ${operation}`)];
    const [alone, floorAlone] = [found.get(`${operation}, alone`), found.get(`floor: ${operation}, alone`)];
    const ratio = medianOf(floors, "cpuMicros") / medianOf(ours, "cpuMicros");
    const [p99, floorP99] = [medianOf(alone, "p99Ms"), medianOf(floorAlone, "p99Ms")];
    ratios.push(ratio);
    added.push(p99 - floorP99);
    const cpu = [ours, floors].map((rounds) => medianOf(rounds, "cpuMicros").toFixed(0)).join(" | ");
    const latency = [p99, floorP99, p99 - floorP99].map((ms) => ms.toFixed(2)).join(" | ");
    yield `| ${operation} | ${medianOf(ours, "perSecond").toFixed(0)} | ${cpu} | ${ratio.toFixed(2)} | ${latency} |`;
  }
  yield "";
  yield `- Native operations at least 0.6 of the floor: **${Math.min(...ratios).toFixed(2)}**, ${met(Math.min(...ratios) >= 0.6)}.`;
  yield `- Less than 1 ms more at p99, one caller: **${Math.max(...added).toFixed(2)} ms**, ${met(Math.max(...added) < 1)}.`;
  yield "";
}
