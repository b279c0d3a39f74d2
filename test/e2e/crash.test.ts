import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { verifyAuditOffline } from "#offline/verify-audit.ts";
import { openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type KeyVersion, openWholeJournal } from "./check-journal.ts";
import { openDataFolder } from "./data-folder.ts";
import { Gateway } from "./live-gateway.ts";
import { awsLine, configOf, HSM_LINE, PATIENT } from "./two-providers.ts";
import { createKey, decrypt, encrypt, getKey, listKeys, type NewKey, Refused, rotateKey } from "./use-keys.ts";

/** How many changes are acknowledged before each of three kills; 340 make a thousand. */
const CHANGES = Number(process.env["CLAVIGER_TEST_CRASH_CHANGES"] ?? 40);
const WORKERS = 6;

/** What a client was told, and may rely on. */
type Promised = { readonly id: string; version: number; readonly ciphertexts: { text: string; ciphertext: string }[] };
/** A create whose answer never came. */
type Asked = { readonly key: NewKey; readonly idempotencyKey: string };

/** Creates and rotates keys from several callers until the gateway is gone; notes what was acknowledged. */
class Workload {
  readonly promised = new Map<string, Promised>();
  readonly unanswered: Asked[] = [];
  changes = 0;
  #made = 0;

  async run(gateway: Gateway, kill: () => Promise<void>): Promise<void> {
    const until = this.changes + CHANGES;
    let killed: Promise<void> | undefined;
    const worker = async (): Promise<void> => {
      for (;;) {
        try {
          await this.#change(gateway);
          if (this.changes >= until) killed ??= kill();
        } catch (error) {
          if (error instanceof Refused) throw error;
          return; // the connection broke: nothing was acknowledged
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await killed;
  }

  /** Every third change makes a key, some with a branch of their own; the others rotate one that was made. */
  async #change(gateway: Gateway): Promise<void> {
    const number = (this.#made += 1);
    const known = [...this.promised.keys()];
    const name = known[number % Math.max(1, known.length)];
    const promised = number % 3 === 0 || name === undefined ? undefined : this.promised.get(name);
    if (promised === undefined) await this.#create(gateway, number);
    else await this.#rotate(gateway, promised);
  }

  async #create(gateway: Gateway, number: number): Promise<void> {
    const name = `key-${number}`;
    const key: NewKey = number % 4 === 0 ? { name, custody: { minimum: 1, dedicated: true } } : { name };
    const asked = { key, idempotencyKey: `create-${number}` };
    this.unanswered.push(asked);
    const { id } = await createKey(gateway, key, { "idempotency-key": asked.idempotencyKey });
    this.unanswered.splice(this.unanswered.indexOf(asked), 1);
    this.changes += 1;
    const promised: Promised = { id, version: 1, ciphertexts: [] };
    this.promised.set(name, promised);
    await this.#write(gateway, promised);
  }

  async #rotate(gateway: Gateway, promised: Promised): Promise<void> {
    try {
      const { latestVersion } = await rotateKey(gateway, promised.id);
      promised.version = Math.max(promised.version, latestVersion);
      this.changes += 1;
    } catch (error) {
      if (!(error instanceof Refused) || error.answer.json["code"] !== "PLAN_STALE") throw error;
    }
    await this.#write(gateway, promised);
  }

  async #write(gateway: Gateway, { id, ciphertexts }: Promised): Promise<void> {
    const text = `${id} ${ciphertexts.length}`;
    const { ciphertext } = await encrypt(gateway, id, text);
    ciphertexts.push({ text, ciphertext });
  }
}

function versionsOf(id: string, latest: number): readonly KeyVersion[] {
  return Array.from({ length: latest }, (_, index) => `${id}@${index + 1}`);
}

function promisedVersions({ promised }: Workload): readonly KeyVersion[] {
  return [...promised.values()].flatMap(({ id, version }) => versionsOf(id, version));
}

async function requirePromises(gateway: Gateway, { promised, unanswered }: Workload): Promise<void> {
  for (const { id, version, ciphertexts } of promised.values()) {
    const key = await getKey(gateway, id);
    expect(key).toMatchObject({ id, state: "active" });
    expect(key.latestVersion).toBeGreaterThanOrEqual(version);
    expect((await encrypt(gateway, id, "after")).keyVersion).toBe(key.primaryVersion);
    for (const { text, ciphertext } of ciphertexts) expect((await decrypt(gateway, ciphertext)).text).toBe(text);
  }
  for (const { key, idempotencyKey } of unanswered) {
    const headers = { "idempotency-key": idempotencyKey };
    const first = await createKey(gateway, key, headers);
    const again = await createKey(gateway, key, headers);
    expect(again.id).toBe(first.id);
  }
  unanswered.length = 0;
  for (const { id } of await listKeys(gateway)) await encrypt(gateway, id, "every key that is listed works");
}

async function requireTrail(data: string): Promise<void> {
  const report = await verifyAuditOffline({ folder: join(data, "audit"), publicKeys: [], anchors: [] });
  expect(report.findings).toEqual([]);
}

describe("kill -9 in the middle of creates and rotations", { timeout: 60_000 }, () => {
  it("loses nothing that was acknowledged, leaves nothing half made, also while aws hangs", async () => {
    await using fake = await openAwsKmsFake();
    await using folder = await openDataFolder();
    const config = configOf({ providers: [HSM_LINE, awsLine("aws", fake)], resilience: PATIENT, minimum: 1 });
    const workload = new Workload();
    let gateway = await Gateway.start({ data: folder.path, config });
    for (const hangs of [false, true, false]) {
      using stack = new DisposableStack();
      await createKey(gateway, { name: `settled-${workload.changes}` }); // so that the shared branch is there
      if (hangs) stack.use(fake.faults.add({ kind: "hang", repeat: "forever" }));
      const running = gateway;
      await workload.run(running, async () => {
        await running.kill();
      });
      stack.dispose();
      const journal = await openWholeJournal(folder.path, { config, provider: "hsm" });
      expect(promisedVersions(workload).filter((version) => !journal.has(version))).toEqual([]);
      gateway = await Gateway.start({ data: folder.path, config });
      expect(gateway.log).not.toMatch(/ROW_UNSEALED|JOURNAL_DAMAGED/u);
      await requirePromises(gateway, workload);
      await requireTrail(folder.path);
    }
    const versions = (await listKeys(gateway)).flatMap(({ id, latestVersion }) => versionsOf(id, latestVersion));
    expect(await gateway.stop()).toBe(0);
    const journal = await openWholeJournal(folder.path, { config, provider: "hsm" });
    expect(versions.filter((version) => !journal.has(version))).toEqual([]);
    await requireTrail(folder.path);
  }, 300_000);
});

describe("kill -9 in the middle of the first start", { timeout: 60_000 }, () => {
  const COMMAND = new URL("../../bin/claviger.js", import.meta.url).pathname;

  it.each(["state/root.json", "journal.jsonl", "client.json"])(
    "leaves a folder that starts: when there is %s",
    async (appearing) => {
      await using folder = await openDataFolder();
      const file = `${folder.path}.yaml`;
      const config = configOf({ providers: [HSM_LINE], minimum: 1 });
      await writeFile(file, config);
      const args = ["serve", "--port", "0", "--config", file, "--data", folder.path];
      const child = spawn(process.execPath, [COMMAND, ...args], { stdio: "ignore" });
      await untilFilled(join(folder.path, appearing), child);
      child.kill("SIGKILL");
      await once(child, "exit");
      await using gateway = await Gateway.start({ data: folder.path, config });
      expect(gateway.log).not.toMatch(/ROW_UNSEALED|JOURNAL_DAMAGED/u);
      await createKey(gateway, { name: "orders" });
      const { ciphertext } = await encrypt(gateway, "orders", "after all");
      expect((await decrypt(gateway, ciphertext)).text).toBe("after all");
      await requireTrail(folder.path);
    },
    60_000,
  );

  async function untilFilled(path: string, child: ChildProcess): Promise<void> {
    for (;;) {
      const size = await stat(path).then(
        (found) => found.size,
        () => 0,
      );
      if (size > 0) return;
      if (child.exitCode !== null) throw new Error("the gateway has ended by itself");
      await pause(1);
    }
  }
});
