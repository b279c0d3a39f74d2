import { answer } from "./exchange.ts";
import { CallLog } from "./calls.ts";
import { FaultQueue } from "./faults.ts";
import { Listener, type Tls } from "./listener.ts";
import type { Credentials } from "./sigv4.ts";
import { createKmsState, type KeyState, type KmsState } from "./state.ts";

export type AwsKmsFakeOptions = {
  /** Where its dates come from; `advance` comes on top. */
  readonly clock?: { now(): number };
  readonly region?: string;
  readonly account?: string;
  /** A fixed port instead of a free one. */
  readonly port?: number;
  readonly propagationMs?: number;
  /** Serves HTTPS with this certificate. */
  readonly tls?: Tls;
  /** Who may sign. Without it any signature passes, though never none. */
  readonly credentials?: readonly Credentials[];
};

/** A Region of AWS KMS on 127.0.0.1. README.md says which of its answers are known from where. */
export interface AwsKmsFake extends AsyncDisposable {
  /** Such as "http://127.0.0.1:40123". */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly account: string;
  readonly faults: FaultQueue;
  readonly calls: CallLog;
  /** How long changes of existence, state, policy and alias stay unseen, by the fake's clock. */
  propagationMs: number;
  /** CreateKey beyond this many keys is LimitExceededException. */
  keyLimit: number;
  /** Who may sign; undefined accepts any signature. */
  credentials: readonly Credentials[] | undefined;
  /** How far the clock of its signatures and of its header `Date` is off. */
  clockSkewMs: number;
  /** Moves its clock forward: deletion dates, rotations and expiries pass. */
  advance(ms: number): void;
  /** Shows a key in a state that no call leads to, such as Unavailable; undefined ends that. */
  forceState(keyId: string, state: KeyState | undefined): void;
  /** Cuts all connections and refuses new ones. Keys, faults and calls stay. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** Forgets keys, aliases, faults, calls and switches. */
  reset(): void;
}

export const openAwsKmsFake = async (options: AwsKmsFakeOptions = {}): Promise<AwsKmsFake> => {
  const fake = new RunningFake(options);
  await fake.start();
  return fake;
};

class RunningFake implements AwsKmsFake {
  readonly faults = new FaultQueue();
  readonly calls = new CallLog();
  readonly region: string;
  readonly account: string;
  clockSkewMs = 0;
  credentials: readonly Credentials[] | undefined;
  readonly #options: AwsKmsFakeOptions;
  readonly #listener: Listener;
  #advancedMs = 0;
  #kms: KmsState;

  constructor(options: AwsKmsFakeOptions) {
    this.#options = options;
    this.region = options.region ?? "us-east-1";
    this.account = options.account ?? "111122223333";
    this.credentials = options.credentials;
    this.#kms = this.#createState();
    this.#listener = this.#createListener();
  }

  get endpoint(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}`;
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

  get keyLimit(): number {
    return this.#kms.keyLimit;
  }

  set keyLimit(keys: number) {
    this.#kms.keyLimit = keys;
  }

  advance(ms: number): void {
    this.#advancedMs += ms;
  }

  forceState(keyId: string, state: KeyState | undefined): void {
    const key = this.#kms.keys.get(keyId.replace(/^arn:.*:key\//, ""));
    if (key === undefined) throw new Error(`the fake has no key ${keyId}`);
    if (state === undefined) delete key.forcedState;
    else key.forcedState = state;
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }

  reset(): void {
    this.#advancedMs = 0;
    this.clockSkewMs = 0;
    this.credentials = this.#options.credentials;
    this.#kms = this.#createState();
    this.faults.clear();
    this.calls.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createState(): KmsState {
    const clock = this.#options.clock ?? Date;
    const { region, account } = this;
    const propagationMs = this.#options.propagationMs ?? 0;
    return createKmsState({ region, account, propagationMs, now: () => clock.now() + this.#advancedMs });
  }

  #createListener(): Listener {
    const parts = {
      kms: () => this.#kms,
      faults: this.faults,
      calls: this.calls,
      credentials: () => this.credentials,
      signingNow: () => Date.now() + this.clockSkewMs,
    };
    const accept = (): boolean => this.faults.take({ at: "connection" }) === undefined;
    return new Listener(
      {
        accept,
        answer: (request, response, { reused }) => {
          answer(parts, request, { response, reused }).catch(() => request.socket.destroy());
        },
      },
      { port: this.#options.port ?? 0, tls: this.#options.tls },
    );
  }
}
