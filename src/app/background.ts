import type { Scheduler } from "#core/clock.ts";
import { createId } from "#core/ids.ts";
import { finishCreation, unfinishedKeys } from "#broker/finish-creation.ts";
import { dyingKeys, dyingVersions, finishDestruction, finishVersion } from "#broker/finish-destruction.ts";
import type { OpenFleet } from "#broker/open-fleet.ts";
import type { BrokerParts } from "#broker/parts.ts";
import { writeReport } from "#broker/providers.ts";
import { addMissingWrap } from "#broker/replenish.ts";
import { rotateDue } from "#broker/rotate-due.ts";
import { settleBinding, unsettledBindings } from "#broker/settle-bindings.ts";
import { InventorySweep } from "#broker/sweep-inventory.ts";
import { isHolder } from "#broker/write-wrap.ts";
import { Background, type BackgroundTask } from "#lifecycle/background.ts";
import { missingWraps } from "#lifecycle/replenish.ts";
import { Deadline } from "#resilience/deadline.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { IdleProber, type Probed } from "#resilience/idle-probe.ts";

const LEASE = "background";
const LEASE_MS = 15_000;

type BackgroundInput = {
  readonly fleet: OpenFleet;
  readonly log: {
    readonly warn: (fields: object, message: string) => void;
    readonly info: (fields: object, message: string) => void;
  };
};

/** What a gateway does on its own clock: by itself, or where the lease is held. */
export function startBackground(parts: BrokerParts, { fleet, log }: BackgroundInput): AsyncDisposable {
  const onFailure = (task: string, error: unknown): void => {
    log.warn({ task, error: error instanceof Error ? error.message : "unknown" }, `${task} failed; it is tried again`);
  };
  const { scheduler } = parts.sources;
  const { process } = parts.settings;
  const own = new Background(ownTasks(parts, fleet), {
    scheduler,
    onFailure,
    holdLease: async () => await Promise.resolve(true),
  });
  const holdLease = async (): Promise<boolean> => await parts.store.lease(LEASE, process, LEASE_MS);
  const shared = new Background(sharedTasks(parts, log), { scheduler, onFailure, holdLease });
  const applied = parts.store.onApplied(() => {
    soon(
      scheduler,
      () =>
        void beat(parts).catch((error: unknown) => {
          onFailure("heartbeat", error);
        }),
    );
  });
  return {
    [Symbol.asyncDispose]: async () => {
      applied[Symbol.dispose]();
      await own[Symbol.asyncDispose]();
      await shared[Symbol.asyncDispose]();
      await parts.store.dropHeartbeat(process);
    },
  };
}

/** After the current turn: a listener of the store must not write to it while it applies. */
function soon(scheduler: Scheduler, run: () => void): void {
  scheduler.after(0, run);
}

function ownTasks(parts: BrokerParts, fleet: OpenFleet): readonly BackgroundTask[] {
  const prober = new IdleProber(parts.pool, parts.sources.clock);
  return [
    {
      name: "heartbeat",
      everyMs: 1000,
      run: async () => {
        await beat(parts);
      },
    },
    {
      name: "idle probe",
      everyMs: 1000,
      run: async () => {
        await prober.tick(probed(parts));
      },
    },
    {
      name: "reaching providers",
      everyMs: 5000,
      run: async () => {
        if ([...fleet.members()].every(({ canary }) => canary !== undefined)) return;
        await fleet.reach();
        await fleet.settle(parts.store);
      },
    },
    {
      name: "sweeping branch keys",
      everyMs: 10_000,
      run: async () => {
        parts.branchKeys.sweep();
        await Promise.resolve();
      },
    },
  ];
}

function sharedTasks(parts: BrokerParts, log: BackgroundInput["log"]): readonly BackgroundTask[] {
  const inventory = new InventorySweep(parts);
  return [
    {
      name: "filling in wraps",
      everyMs: 2000,
      run: async () => {
        await fillIn(parts, log);
      },
    },
    {
      name: "settling native keys",
      everyMs: 2000,
      run: settling(parts, log),
    },
    {
      name: "finishing destructions",
      everyMs: 60_000,
      run: async () => {
        for (const key of dyingKeys(parts)) {
          if (await finishDestruction(parts, key)) log.info({ key: key.id }, "a key is destroyed");
        }
        for (const { key, version } of dyingVersions(parts)) {
          const record = parts.catalog.version(key, version);
          if (record !== undefined && (await finishVersion(parts, record)))
            log.info({ key, version }, "a version is destroyed");
        }
      },
    },
    {
      name: "looking through providers",
      everyMs: 10_000,
      run: async () => {
        await inventory.turn();
      },
    },
    {
      name: "finishing keys that are being made",
      everyMs: 2000,
      run: async () => {
        for (const key of unfinishedKeys(parts)) {
          if (await finishCreation(parts, key)) log.info({ key: key.id }, "a key is made");
        }
      },
    },
    {
      name: "erasing import keys",
      everyMs: 3_600_000,
      run: async () => {
        await parts.importKeys.sweep();
      },
    },
    {
      name: "rotating keys",
      everyMs: 60_000,
      run: async () => {
        await rotateDue(parts);
      },
    },
  ];
}

async function fillIn(parts: BrokerParts, log: BackgroundInput["log"]): Promise<void> {
  const known = (name: string, uid: string | null): { name: string; uid: string } | undefined => {
    const member = uid === null ? parts.fleet.member(name) : parts.fleet.memberByUid(uid);
    return isHolder(member) ? { name: member.name, uid: member.uid } : undefined;
  };
  for (const missing of missingWraps(parts.catalog, known)) {
    try {
      if (await addMissingWrap(parts, missing)) log.info({ ...missing }, `filled in a wrap at ${missing.provider}`);
    } catch (error) {
      // one that cannot be made must not keep those after it waiting
      log.warn({ ...missing, error: faultOf(error).detail }, `a wrap at ${missing.provider} is not made yet`);
    }
  }
}

const SETTLE_ALL_MS = 60_000;

/** Looks through the native keys where something has changed or was left undone, and every minute, since dates change states too. */
function settling(parts: BrokerParts, log: BackgroundInput["log"]): () => Promise<void> {
  let seen = { revision: -1, undone: 0, atMs: Number.NEGATIVE_INFINITY };
  return async () => {
    const { revision } = parts.catalog;
    const atMs = parts.sources.clock.monotonicMs();
    if (revision === seen.revision && seen.undone === 0 && atMs - seen.atMs < SETTLE_ALL_MS) return;
    seen = { revision, undone: await settle(parts, log), atMs };
  };
}

/** Gives how many could not be brought where they should be. */
async function settle(parts: BrokerParts, log: BackgroundInput["log"]): Promise<number> {
  let undone = 0;
  for (const unsettled of unsettledBindings(parts)) {
    const { binding, wanted } = unsettled;
    const told = { binding: binding.id, key: binding.key, wanted };
    try {
      if (await settleBinding(parts, unsettled)) log.info(told, `brought a native key to ${wanted}`);
      else undone += 1;
    } catch (error) {
      undone += 1;
      log.warn({ ...told, error: faultOf(error).detail }, `a native key is not ${wanted} yet`);
    }
  }
  return undone;
}

async function beat(parts: BrokerParts): Promise<void> {
  await parts.store.beat({
    process: parts.settings.process,
    gateway: parts.settings.gateway,
    appliedRevision: parts.catalog.revision,
    policyHash: parts.policy().hash,
    time: parts.sources.clock.now(),
    report: writeReport(parts),
  });
}

function* probed(parts: BrokerParts): Generator<Probed> {
  for (const member of parts.fleet.members()) {
    const { name, canary } = member;
    if (!isHolder(member) || canary === undefined || parts.catalog.drain(name)?.drained === true) continue;
    const { provider } = member;
    const options = (): { readonly deadline: Deadline; readonly requestId: string } => ({
      deadline: new Deadline(parts.settings.deadlineMs, parts.sources),
      requestId: createId("req", parts.sources),
    });
    yield {
      name,
      probe: async () => {
        await parts.pool.call(name, "data", "probe", async (call) => await provider.probe(canary, call), options());
      },
      probeControl: async () => {
        await parts.pool.call(name, "control", "identify", async (call) => await provider.identify(call), options());
      },
    };
  }
}
