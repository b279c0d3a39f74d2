import { describe, expect, it } from "vitest";
import { classifyPkcs11, Pkcs11Error } from "#providers/pkcs11/errors.ts";
import type { Reply, Request } from "#providers/pkcs11/wire.ts";
import { type Worker, WorkerPool } from "#providers/pkcs11/worker-pool.ts";
import { localSources } from "../local-hsm/sources.ts";

const OPEN = { module: "/m.so", token: { label: "t" }, pin: "1234" };

/** Workers that answer when the test says so; each `open` as `answerOpen` has it. */
class Stage {
  readonly sources = localSources();
  readonly started: {
    requests: Request[];
    killed: boolean;
    reply: (reply: Reply) => void;
    end: (why: string) => void;
  }[] = [];
  readonly opened: unknown[] = [];
  answerOpen: (id: number) => Reply | undefined = (id) => ({ id, ok: true, output: {} });
  readonly pool: WorkerPool;

  constructor(size: number) {
    this.pool = new WorkerPool({
      size,
      stuckMs: 1000,
      scheduler: this.sources.scheduler,
      open: () => OPEN,
      opened: async (outcome) => {
        this.opened.push(outcome);
        await Promise.resolve();
      },
      start: (on): Worker => {
        const worker = { requests: [] as Request[], killed: false, ...on };
        this.started.push(worker);
        return {
          send: (request) => {
            worker.requests.push(request);
            const reply = request.name === "open" ? this.answerOpen(request.id) : undefined;
            if (reply !== undefined)
              queueMicrotask(() => {
                on.reply(reply);
              });
          },
          kill: () => {
            worker.killed = true;
          },
        };
      },
    });
  }

  /** Until the pool has nothing to do but wait. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  /** The last request of a worker. */
  last(worker: number): Request {
    return this.started[worker]?.requests.at(-1) ?? expect.fail("it was asked nothing");
  }

  answer(worker: number, output: unknown): void {
    this.started[worker]?.reply({ id: this.last(worker).id, ok: true, output });
  }
}

const failureOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "none",
    (error: unknown) => {
      const { failure, detail } = classifyPkcs11(error);
      return `${failure}: ${detail}`;
    },
  );

describe("the processes of a module", () => {
  it("are started when there is something to do, open the token first, and are used again", async () => {
    const stage = new Stage(2);
    expect(stage.started).toHaveLength(0);
    const first = stage.pool.call("random", { bytes: 8 });
    await stage.settle();
    expect(stage.started[0]?.requests.map(({ name }) => name)).toEqual(["open", "random"]);
    stage.answer(0, Buffer.alloc(8));
    expect(await first).toHaveLength(8);
    const second = stage.pool.call("random", { bytes: 9 });
    await stage.settle();
    stage.answer(0, Buffer.alloc(9));
    expect(await second).toHaveLength(9);
    expect(stage.started).toHaveLength(1);
  });

  it("take one call at a time: the third of two waits its turn", async () => {
    const stage = new Stage(2);
    const calls = [1, 2, 3].map((bytes) => stage.pool.call("random", { bytes }));
    await stage.settle();
    expect(stage.started.map(({ requests }) => requests.length)).toEqual([2, 2]);
    stage.answer(1, "second");
    await stage.settle();
    expect(stage.last(1).input).toEqual({ bytes: 3 });
    stage.answer(1, "third");
    stage.answer(0, "first");
    expect(await Promise.all(calls)).toEqual(["first", "second", "third"]);
  });

  it("are killed when a call does not return, and others take over: the stuck one is an outage", async () => {
    const stage = new Stage(2);
    const stuck = stage.pool.call("random", { bytes: 1 });
    await stage.settle();
    stage.sources.scheduler.fire();
    expect(await failureOf(stuck)).toBe("OUTAGE: the module did not return within 1000 ms; its process was ended");
    expect(stage.started[0]?.killed).toBe(true);
    const next = stage.pool.call("random", { bytes: 2 });
    await stage.settle();
    stage.answer(1, "from a new process");
    expect(await next).toBe("from a new process");
  });

  it("that crash fail their own call alone", async () => {
    const stage = new Stage(2);
    const [crashed, other] = [stage.pool.call("random", { bytes: 1 }), stage.pool.call("random", { bytes: 2 })];
    await stage.settle();
    stage.started[0]?.end("the process of the module has ended (SIGSEGV)");
    expect(await failureOf(crashed)).toBe("OUTAGE: the process of the module has ended (SIGSEGV)");
    stage.answer(1, "fine");
    expect(await other).toBe("fine");
  });

  it("try a PIN one after another, so that one refusal is all that the token sees", async () => {
    const stage = new Stage(2);
    stage.answerOpen = (id) => ({ id, ok: false, fault: { code: 0xa0, text: "" } });
    let asked = 0;
    const note = async (outcome: unknown): Promise<void> => {
      if (outcome !== undefined) stage.opened.push(outcome);
      await Promise.resolve();
    };
    const remembering = new WorkerPool({
      size: 2,
      stuckMs: 1000,
      scheduler: stage.sources.scheduler,
      open: () => {
        if (stage.opened.length > 0) throw new Pkcs11Error({ code: 0xa0, text: "" });
        asked += 1;
        return OPEN;
      },
      opened: note,
      start: (on) => ({
        send: ({ id }) => {
          queueMicrotask(() => {
            on.reply({ id, ok: false, fault: { code: 0xa0, text: "" } });
          });
        },
        kill: () => undefined,
      }),
    });
    const calls = [1, 2, 3].map((bytes) => failureOf(remembering.call("random", { bytes })));
    for (const failure of await Promise.all(calls))
      expect(failure).toMatch(/^CREDENTIALS: the token does not take the PIN/u);
    expect(asked).toBe(1);
  });

  it("end with the pool, and whoever still waits is told", async () => {
    const stage = new Stage(1);
    const [running, waiting] = [stage.pool.call("random", { bytes: 1 }), stage.pool.call("random", { bytes: 2 })];
    await stage.settle();
    stage.pool[Symbol.dispose]();
    expect(await Promise.all([running, waiting].map(failureOf))).toEqual([
      "OUTAGE: the provider is closed",
      "OUTAGE: the provider is closed",
    ]);
    expect(stage.started.map(({ killed }) => killed)).toEqual([true]);
    expect(await failureOf(stage.pool.call("random", { bytes: 3 }))).toBe("OUTAGE: the provider is closed");
    expect(stage.sources.scheduler.waiting).toBe(0);
  });

  it("that are idle are ended by a renewal, and opened anew", async () => {
    const stage = new Stage(1);
    const first = stage.pool.call("random", { bytes: 1 });
    await stage.settle();
    stage.answer(0, "one");
    await first;
    await stage.settle();
    stage.pool.renew();
    expect(stage.started[0]?.killed).toBe(true);
    const second = stage.pool.call("random", { bytes: 2 });
    await stage.settle();
    stage.answer(1, "two");
    expect(await second).toBe("two");
  });
});
