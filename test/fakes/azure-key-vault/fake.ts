import { randomUUID } from "node:crypto";
import { Listener } from "../aws-kms/listener.ts";
import { createServerIdentity, type ServerIdentity } from "../gcp-kms/certificates.ts";
import { CallLog } from "./calls.ts";
import { answer } from "./exchange.ts";
import { FaultQueue } from "./faults.ts";
import type { VaultKind, VaultState } from "./state.ts";

export type AzureKeyVaultFakeOptions = {
  /** Where its dates come from; `advance` comes on top. */
  readonly clock?: { now(): number };
  readonly kind?: VaultKind;
  readonly propagationMs?: number;
  /** Days from the deletion to the purge, 7 to 90; 90 unless said otherwise. */
  readonly retentionDays?: number;
  readonly purgeProtection?: boolean;
  /** A fixed port instead of a free one. */
  readonly port?: number;
};

/** As TokenCredential of @azure/core-auth. */
export type FakeCredential = {
  getToken(): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;
};

/** A vault or a Managed HSM on 127.0.0.1. README.md says which of its answers are known from where. */
export interface AzureKeyVaultFake extends AsyncDisposable {
  /** Such as "https://127.0.0.1:40123". */
  readonly vaultUrl: string;
  readonly port: number;
  /** PEM of the authority that its certificate is from. */
  readonly ca: string;
  /** Gives the token that passes. */
  readonly credential: FakeCredential;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  /** How long changes of attributes, existence and deletion stay unseen, by the fake's clock. */
  propagationMs: number;
  /** What the caller may not do, such as "Sign", with the inner code of the 403, such as "ForbiddenByRbac". */
  readonly forbidden: Map<string, string>;
  /** Ends the token that the credential gave; the next one passes. */
  revokeTokens(): void;
  /** Moves its clock forward: nbf, exp and purges pass. */
  advance(ms: number): void;
  /** Cuts all connections and refuses new ones. Keys, faults and calls stay. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
}

export const openAzureKeyVaultFake = async (options: AzureKeyVaultFakeOptions = {}): Promise<AzureKeyVaultFake> => {
  const fake = new RunningFake(options, await createServerIdentity());
  await fake.start();
  return fake;
};

class RunningFake implements AzureKeyVaultFake {
  readonly faults = new FaultQueue();
  readonly calls = new CallLog();
  readonly forbidden = new Map<string, string>();
  readonly ca: string;
  readonly credential: FakeCredential;
  readonly #listener: Listener;
  readonly #vault: VaultState;
  #advancedMs = 0;
  #token: string = randomUUID();

  constructor(options: AzureKeyVaultFakeOptions, identity: ServerIdentity) {
    const clock = options.clock ?? Date;
    this.ca = identity.ca;
    this.credential = {
      getToken: async () => ({ token: this.#token, expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    this.#vault = {
      kind: options.kind ?? "vault",
      keys: new Map(),
      retentionDays: options.retentionDays ?? 90,
      purgeProtection: options.purgeProtection ?? false,
      propagationMs: options.propagationMs ?? 0,
      now: () => clock.now() + this.#advancedMs,
      url: () => this.vaultUrl,
    };
    this.#listener = this.#createListener(options.port ?? 0, identity);
  }

  get vaultUrl(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  get propagationMs(): number {
    return this.#vault.propagationMs;
  }

  set propagationMs(ms: number) {
    this.#vault.propagationMs = ms;
  }

  revokeTokens(): void {
    this.#token = randomUUID();
  }

  advance(ms: number): void {
    this.#advancedMs += ms;
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createListener(port: number, identity: ServerIdentity): Listener {
    const { faults, calls, forbidden } = this;
    const parts = { vault: () => this.#vault, faults, calls, forbidden, token: () => this.#token };
    return new Listener(
      {
        accept: () => faults.take({ at: "connection" }) === undefined,
        answer: (request, response, { reused }) => {
          answer(parts, request, { response, reused }).catch(() => request.socket.destroy());
        },
      },
      { port, tls: { cert: identity.cert, key: identity.key } },
    );
  }
}
