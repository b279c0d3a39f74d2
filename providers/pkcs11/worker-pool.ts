import type { Scheduler } from "#core/clock.ts";
import { Pkcs11Error } from "./errors.ts";
import type { CommandName, Commands, Reply, Request } from "./wire.ts";

/** A process that has the module loaded, or will have. */
export type Worker = {
  readonly send: (request: Request) => void;
  /** At once, whatever it does (SIGKILL). */
  readonly kill: () => void;
};

/** Starts a worker; tells of its replies, and once of its end. */
export type StartWorker = (on: { reply: (reply: Reply) => void; end: (why: string) => void }) => Worker;

export type WorkerPoolParts = {
  readonly start: StartWorker;
  readonly size: number;
  readonly stuckMs: number;
  readonly scheduler: Scheduler;
  /** What a new worker is asked first: opening the token. */
  readonly open: () => Commands["open"]["in"] | Promise<Commands["open"]["in"]>;
  /** Told how that went: a PIN that was refused must not be tried by the next one. */
  readonly opened: (error: unknown) => Promise<void>;
};

type Job = {
  readonly name: CommandName;
  readonly input: unknown;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
};

type Slot = {
  worker: Worker | undefined;
  /** Of the call that is with the worker now. */
  pending: Map<number, Job & { readonly timer: Disposable }>;
  ready: Promise<void> | undefined;
  busy: boolean;
};

/**
 * A few processes with the module, one call at a time in each. A call that does not return is given up after a while: its process is killed,
 * and the next call gets a new one. Nothing that a module does reaches the gateway's own process.
 */
export class WorkerPool implements Disposable {
  readonly #parts: WorkerPoolParts;
  readonly #slots: Slot[];
  readonly #queue: Job[] = [];
  #requests = 0;
  /** One at a time: a PIN that is refused to one is not tried by the others. */
  #opening: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: WorkerPoolParts) {
    this.#parts = parts;
    this.#slots = Array.from({ length: parts.size }, () => emptySlot());
  }

  /** Runs one command; the calls wait in order for a process that is free. */
  async call<K extends CommandName>(name: K, input: Commands[K]["in"]): Promise<Commands[K]["out"]> {
    if (this.#closed) throw gone("the provider is closed");
    return await new Promise<Commands[K]["out"]>((resolve, reject) => {
      this.#queue.push({ name, input, resolve: resolve as (output: unknown) => void, reject });
      this.#next();
    });
  }

  /** Ends the idle processes, so that the next calls open the token anew. */
  renew(): void {
    for (const slot of this.#slots) if (!slot.busy) this.#drop(slot, "it was renewed");
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const slot of this.#slots) this.#drop(slot, "the provider is closed");
    for (const job of this.#queue.splice(0)) job.reject(gone("the provider is closed"));
  }

  #next(): void {
    const slot =
      this.#slots.find(({ busy, worker }) => !busy && worker !== undefined) ?? this.#slots.find((one) => !one.busy);
    const job = slot && this.#queue.shift();
    if (slot === undefined || job === undefined) return;
    slot.busy = true;
    void this.#run(slot, job).finally(() => {
      slot.busy = false;
      this.#next();
    });
  }

  async #run(slot: Slot, job: Job): Promise<void> {
    try {
      slot.ready ??= this.#inTurn(async () => {
        await this.#begin(slot);
      });
      await slot.ready;
      job.resolve(await this.#ask(slot, job.name, job.input));
    } catch (error) {
      job.reject(error);
    }
  }

  async #inTurn(begin: () => Promise<void>): Promise<void> {
    const turn = this.#opening.then(begin, begin);
    this.#opening = turn.catch(() => undefined);
    await turn;
  }

  async #begin(slot: Slot): Promise<void> {
    try {
      const input = await this.#parts.open();
      slot.worker = this.#parts.start({
        reply: (reply) => {
          settle(slot, reply);
        },
        end: (why) => {
          this.#drop(slot, why);
        },
      });
      await this.#ask(slot, "open", input);
      await this.#parts.opened(undefined);
    } catch (error) {
      this.#drop(slot, "it was not opened");
      await this.#parts.opened(error);
      throw error;
    }
  }

  async #ask(slot: Slot, name: CommandName, input: unknown): Promise<unknown> {
    const { worker } = slot;
    if (worker === undefined) throw gone("the process of the module has ended");
    const id = (this.#requests += 1);
    return await new Promise<unknown>((resolve, reject) => {
      const timer = this.#parts.scheduler.after(this.#parts.stuckMs, () => {
        this.#drop(slot, `the module did not return within ${this.#parts.stuckMs} ms; its process was ended`);
      });
      slot.pending.set(id, { name, input, resolve, reject, timer });
      worker.send({ id, name, input });
    });
  }

  #drop(slot: Slot, why: string): void {
    const { worker, pending } = slot;
    slot.worker = undefined;
    slot.ready = undefined;
    slot.pending = new Map();
    worker?.kill();
    for (const { reject, timer } of pending.values()) {
      timer[Symbol.dispose]();
      reject(gone(why));
    }
  }
}

function emptySlot(): Slot {
  return { worker: undefined, pending: new Map(), ready: undefined, busy: false };
}

function settle(slot: Slot, reply: Reply): void {
  const job = slot.pending.get(reply.id);
  if (job === undefined) return;
  slot.pending.delete(reply.id);
  job.timer[Symbol.dispose]();
  if (reply.ok) job.resolve(reply.output);
  else job.reject(new Pkcs11Error(reply.fault));
}

function gone(why: string): Pkcs11Error {
  return new Pkcs11Error({ trouble: "gone", text: why });
}
