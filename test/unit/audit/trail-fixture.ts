import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditTrail, type AuditTrailOptions } from "#audit/trail.ts";
import { type AuditReport, verifyAuditTrail } from "#audit/verify.ts";
import type { AuditEvent, AuditTrail } from "#core/audit.ts";

/** A clock and a scheduler that move only when told. */
export class ManualTime {
  #now = Date.UTC(2026, 0, 2, 3, 4, 5);
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  readonly clock = { now: (): number => this.#now, monotonicMs: (): number => this.#now };
  readonly scheduler = {
    after: (delayMs: number, run: () => void): Disposable => {
      const timer = { at: this.#now + delayMs, run };
      this.#timers.push(timer);
      return {
        [Symbol.dispose]: () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        },
      };
    },
  };

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const timer of due) timer.run();
  }
}

/** A folder of trails in a temporary place, and what opens and verifies them. */
export class TrailFixture implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "audit-"));
  readonly folder = join(this.root, "audit");
  readonly time = new ManualTime();
  readonly signingKey: KeyObject = generateKeyPairSync("ed25519").privateKey;
  readonly troubles: string[] = [];

  open(options: Partial<AuditTrailOptions> = {}): AuditTrail {
    return openAuditTrail({
      folder: this.folder,
      process: "gateway",
      signingKey: this.signingKey,
      anchors: [],
      clock: this.time.clock,
      scheduler: this.time.scheduler,
      onTrouble: (message) => {
        this.troubles.push(message);
      },
      ...options,
    });
  }

  verify(anchors: readonly string[] = []): Promise<AuditReport> {
    return verifyAuditTrail({ folder: this.folder, publicKeys: [createPublicKey(this.signingKey)], anchors });
  }

  files(): readonly string[] {
    return readdirSync(this.folder).toSorted();
  }

  lines(file: string): readonly string[] {
    return readFileSync(join(this.folder, file), "utf8").split("\n").slice(0, -1);
  }

  records(): readonly Readonly<Record<string, unknown>>[] {
    return this.files().flatMap((file) => this.lines(file).map((line) => JSON.parse(line) as Record<string, unknown>));
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function auditEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    requestId: "req_01934567-89ab-7cde-8f01-23456789abcd",
    client: "cli_01934567-89ab-7cde-8f01-23456789abcd",
    credential: "crd_01934567-89ab-7cde-8f01-23456789abcd",
    namespace: "default",
    door: "rest",
    operation: "encrypt",
    key: "key_01934567-89ab-7cde-8f01-23456789abcd",
    keyVersion: 1,
    provider: "gateway",
    attempts: [],
    outcome: "ok",
    latencyMs: 0.25,
    ...changes,
  };
}
