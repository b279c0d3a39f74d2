import { CallLog } from "./calls.ts";
import { createServerIdentity, type ServerIdentity } from "./certificates.ts";
import { answer } from "./exchange.ts";
import { FaultQueue } from "./faults.ts";
import { Listener } from "./listener.ts";
import { getVersion } from "./resolve.ts";
import { createKmsState, type KmsState, type VersionState } from "./state.ts";

export type GcpKmsFakeOptions = {
  /** Where its dates come from; `advance` comes on top. */
  readonly clock?: { now(): number };
  /** A fixed port instead of a free one. */
  readonly port?: number;
  /** Without TLS, and then without a token too. */
  readonly plaintext?: boolean;
  /** Which bearer tokens may call over TLS. Without it any token passes, though never none. */
  readonly tokens?: readonly string[];
  readonly propagationMs?: number;
  readonly generationMs?: number;
  readonly importMs?: number;
};

/** Cloud KMS over gRPC on 127.0.0.1. README.md says which of its answers are known from where. */
export interface GcpKmsFake extends AsyncDisposable {
  /** Such as "127.0.0.1:40123". */
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  /** The certificate of its own authority, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  /** How long cryptography does not see that a version was disabled, scheduled for destruction or made primary. */
  propagationMs: number;
  /** How long asymmetric versions and import jobs are PENDING_GENERATION. */
  generationMs: number;
  /** How long versions are PENDING_IMPORT; at zero until the next request. */
  importMs: number;
  /** Which bearer tokens may call over TLS; undefined accepts any. */
  tokens: readonly string[] | undefined;
  /** Moves its clock forward: destructions, rotations and expiries pass. */
  advance(ms: number): void;
  /** Puts a version in a state that no call leads to, such as GENERATION_FAILED. */
  forceState(version: string, state: VersionState): void;
  /** Cuts all connections and refuses new ones. Keys, faults and calls stay. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** Forgets keys, faults, calls and switches. */
  reset(): void;
}

export const openGcpKmsFake = async (options: GcpKmsFakeOptions = {}): Promise<GcpKmsFake> => {
  const identity = options.plaintext === true ? undefined : await createServerIdentity();
  const fake = new RunningFake(options, identity);
  await fake.start();
  return fake;
};

class RunningFake implements GcpKmsFake {
  readonly host = "127.0.0.1";
  readonly faults = new FaultQueue();
  readonly calls = new CallLog();
  readonly ca: string | undefined;
  tokens: readonly string[] | undefined;
  readonly #options: GcpKmsFakeOptions;
  readonly #listener: Listener;
  #advancedMs = 0;
  #kms: KmsState;

  constructor(options: GcpKmsFakeOptions, identity: ServerIdentity | undefined) {
    this.#options = options;
    this.ca = identity?.ca;
    this.tokens = options.tokens;
    this.#kms = this.#createState();
    this.#listener = this.#createListener(identity);
  }

  get endpoint(): string {
    return `${this.host}:${this.port}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  get propagationMs(): number {
    return this.#kms.propagationMs;
  }

  set propagationMs(ms: number) {
    this.#kms.propagationMs = ms;
  }

  get generationMs(): number {
    return this.#kms.generationMs;
  }

  set generationMs(ms: number) {
    this.#kms.generationMs = ms;
  }

  get importMs(): number {
    return this.#kms.importMs;
  }

  set importMs(ms: number) {
    this.#kms.importMs = ms;
  }

  advance(ms: number): void {
    this.#advancedMs += ms;
  }

  forceState(name: string, state: VersionState): void {
    const { version } = getVersion(this.#kms, name);
    version.due = undefined;
    version.state.set(state, { nowMs: this.#kms.now(), delayMs: 0 });
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }

  reset(): void {
    this.#advancedMs = 0;
    this.tokens = this.#options.tokens;
    this.#kms = this.#createState();
    this.faults.clear();
    this.calls.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createState(): KmsState {
    const { clock = Date, propagationMs = 0, generationMs = 0, importMs = 0 } = this.#options;
    return createKmsState({ now: () => clock.now() + this.#advancedMs, propagationMs, generationMs, importMs });
  }

  #createListener(identity: ServerIdentity | undefined): Listener {
    const parts = {
      kms: () => this.#kms,
      faults: this.faults,
      calls: this.calls,
      tokens: () => (identity === undefined ? ("unasked" as const) : (this.tokens ?? ("any" as const))),
    };
    return new Listener(
      {
        accept: () => this.faults.take({ at: "connection" }) === undefined,
        answer: (stream, headers) => {
          answer(parts, stream, headers).catch(() => stream.session?.destroy());
        },
      },
      { port: this.#options.port ?? 0, tls: identity },
    );
  }
}
