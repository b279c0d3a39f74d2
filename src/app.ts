/** Builds a gateway from its configuration: the composition root. Nothing else makes these parts. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { isAbsolute, join } from "node:path";
import type { Request, Response } from "express";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import { createId, createUuid } from "#core/ids.ts";
import type { Journal } from "#core/journal.ts";
import type { RowFault, Store } from "#core/catalog.ts";
import { openAuditTrail } from "#audit/trail.ts";
import { authenticate, unauthenticated } from "#broker/authenticate.ts";
import { loadBranchKey } from "#broker/load-branch-key.ts";
import { OpenFleet } from "#broker/open-fleet.ts";
import { PublicKeyObjects } from "#broker/public-key-objects.ts";
import type { BrokerParts } from "#broker/parts.ts";
import type { Config } from "#config/schema.ts";
import { createBranchKeys } from "#envelope/branch-keys.ts";
import { createMessageIdSource } from "#envelope/message-id.ts";
import { createVersionKeys } from "#envelope/version-keys.ts";
import { restDoor } from "#doors/rest/door.ts";
import type { PolicyProblem } from "#doors/rest/rest-parts.ts";
import { badPath, type Kit, noRoute } from "#http/mount.ts";
import { PeerCertificates } from "#http/peer-certificates.ts";
import { openServer, type Tls } from "#http/server.ts";
import { createProviderPool, type ProviderPool } from "#resilience/provider-pool.ts";
import { openStore } from "#store/open-store.ts";
import { startBackground } from "./app/background.ts";
import { beFirstOrAfter } from "./app/first-start.ts";
import { ensureDefaultNamespace, ensureFirstAdmin, updateAddress } from "./app/first-client.ts";
import { completeJournal, forgetUnfinishedStart, journalHasKeys, openGatewayJournal } from "./app/gateway-journal.ts";
import { followFeed } from "./app/follow-feed.ts";
import { followTlsFiles } from "./app/follow-tls-files.ts";
import { createImportKeys } from "./app/import-keys.ts";
import { makeFolder } from "./app/make-folder.ts";
import { createMetrics, type Metrics } from "./app/metrics.ts";
import { observe } from "./app/observed.ts";
import { fleetEntries } from "./app/open-providers.ts";
import { obtainSecret } from "./app/own-secrets.ts";
import { takeSlot, type ProcessSlot } from "./app/process-slot.ts";
import type { RootKey } from "./app/root.ts";
import { createRandomPool } from "./app/random-pool.ts";
import { findServerTls, readTlsFiles, serverTls, tlsPaths } from "./app/server-tls.ts";
import { untilUnsealed } from "./app/sealed.ts";
import { proofOf } from "./app/proof-of.ts";
import { publishAuditKey } from "./app/publish-audit-key.ts";
import { createStatementSigner } from "./app/statement-signer.ts";
import { timedAudit } from "./app/timed-audit.ts";
import { unlock, type UnlockParts } from "./app/unlock.ts";

/** How long the start waits for providers to say what they are; who is later is met in the background. */
const REACH_MS = 3000;
const CLOSE_MS = 10_000;

export type Log = {
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
};

export type GatewayOptions = {
  readonly config: Config;
  readonly dataFolder: string;
  readonly sources: Sources;
  readonly log: Log;
  readonly version: string;
  /** False: everything is made and opened, and nothing listens or waits. */
  readonly listens: boolean;
  readonly validatePolicy: (text: string) => Promise<readonly PolicyProblem[]>;
  /** Resolves when a start that waits for a provider is to be given up; absent: never. */
  readonly stop?: Promise<void>;
  /** Calls back whenever an operator wants the certificates read again; absent: never. */
  readonly onReload?: (listener: () => void) => Disposable;
};

/** A gateway that listens. */
export interface Gateway extends AsyncDisposable {
  readonly address: string;
  readonly clientFile: string;
  /** Whether the local authority has signed its certificate; false where it has one of its own, or none. */
  readonly isLocallyTrusted: boolean;
  /** The domains on which a new key of the default route stands, and the minimum that follows. */
  readonly domains: number;
  readonly port: number;
  /** What the use cases work with, for whoever hosts a gateway in its own process. */
  readonly parts: BrokerParts;
}

/**
 * Opens everything in order and listens. Rejects with a sentence for an operator; what was opened by then is closed again.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  const { config, dataFolder, sources, log } = options;
  await makeFolder(dataFolder);
  const stateFolder = join(dataFolder, "state");
  const slot = stack.use(takeSlot(stateFolder));
  const broker: { parts: BrokerParts | undefined } = { parts: undefined };
  const metrics = createMetrics(observe(() => broker.parts, join(dataFolder, "audit")));
  const pool = stack.use(createPool(options, metrics));
  const fleet = stack.use(new OpenFleet(fleetEntries(config.providers, { dataFolder, sources }), { pool, sources }));
  await settledWithin(fleet.reach(), REACH_MS, sources);
  const { store, journal, roots } = await openState(options, { fleet, pool, stateFolder, stack });
  fleet.recall(store.catalog);
  await fleet.settle(store);
  const parts = await openParts(options, { store, journal, roots, fleet, pool, slot, metrics, stack });
  broker.parts = parts;
  await ensureDefaultNamespace(store, sources);
  const makeTls = async (): Promise<Tls> => await serverTls({ config, dataFolder, store, roots, sources });
  const tls = config.listen.insecureHttp ? undefined : await makeTls();
  const closing = { begun: false };
  const port = options.listens
    ? await openListener(options, parts, { metrics, closing, tls, makeTls, stack })
    : config.listen.port;
  const address = addressOf(config, port);
  if (slot.number === 1) await announce(store, { options, address });
  stack.use(
    followFeed(parts, (error) => {
      log.error({ error: String(error) }, "the journal does not follow the others");
    }),
  );
  if (options.listens) stack.use(startBackground(parts, { fleet, log }));
  const completed = tellAll({ journal, store }, log);
  stack.defer(async () => {
    await completed;
  });
  const owned = stack.move();
  return {
    address,
    port,
    parts,
    clientFile: join(dataFolder, "client.json"),
    isLocallyTrusted: tls !== undefined && config.listen.tls === null,
    domains: new Set([...fleet.members()].map(({ facts }) => facts.failureDomain)).size,
    [Symbol.asyncDispose]: async () => {
      closing.begun = true;
      await owned.disposeAsync();
      for (const { material, rowKey } of roots) {
        material.fill(0);
        rowKey.fill(0);
      }
    },
  };
}

type Listening = Omit<Serving, "peers"> & {
  readonly tls: Tls | undefined;
  /** Makes the certificate again, anew where it is about to end. */
  readonly makeTls: () => Promise<Tls>;
  readonly stack: AsyncDisposableStack;
};

async function openListener(
  options: GatewayOptions,
  parts: BrokerParts,
  { metrics, closing, tls, makeTls, stack }: Listening,
): Promise<number> {
  const { config, dataFolder, sources, log } = options;
  const peers = new PeerCertificates();
  const server = await openServer({
    host: config.listen.host,
    port: config.listen.port,
    tls,
    handle: handler(options, parts, { metrics, closing, peers }),
    newRequestId: () => createId("req", sources),
    peers,
    onPeerRefused: ({ code, reason, ...told }) => {
      log.warn(
        { code: "CLIENT_CERTIFICATE_REFUSED", reason: code, ...told },
        `a client certificate is refused: ${reason}`,
      );
    },
  });
  stack.defer(async () => {
    await server.close(CLOSE_MS);
  });
  if (tls === undefined) return server.port;
  stack.use(
    await followTlsFiles({
      server,
      scheduler: sources.scheduler,
      log,
      paths: tlsPaths(config, dataFolder),
      read: async () => await readTlsFiles(config, dataFolder),
      onReload: options.onReload,
      renewFiles: config.listen.tls === null ? makeTls : undefined,
    }),
  );
  return server.port;
}

function createPool({ config, sources, log }: GatewayOptions, metrics: Metrics): ProviderPool {
  return createProviderPool({
    sources,
    settings: { breaker: config.resilience.breaker, attemptTimeoutMs: config.resilience.attemptTimeoutMs },
    onCall: ({ provider, operation, outcome, latencyMs, lastResort }) => {
      metrics.providerCall({ provider, operation, outcome }, latencyMs / 1000);
      if (lastResort) metrics.lastResort(provider);
    },
    onBreaker: (provider, plane, { from, to }) => {
      log.warn({ provider, plane, from, to }, `the breaker of ${provider} (${plane}) is ${to}`);
    },
  });
}

type StateParts = {
  readonly fleet: OpenFleet;
  readonly pool: ProviderPool;
  readonly stateFolder: string;
  readonly stack: AsyncDisposableStack;
};
type State = { readonly store: Store; readonly journal: Journal; readonly roots: readonly RootKey[] };

async function openState(options: GatewayOptions, { fleet, pool, stateFolder, stack }: StateParts): Promise<State> {
  const { config, dataFolder, sources, log } = options;
  const targets = config.journal.map(({ path }) => (isAbsolute(path) ? path : join(dataFolder, path)));
  const onDamaged = (): void => {
    log.error(
      { code: "JOURNAL_DAMAGED" },
      "JOURNAL_DAMAGED: a line of the journal does not verify; what the store knows of it is told again",
    );
  };
  const opened: { roots: readonly RootKey[] } = { roots: [] };
  const stop = options.stop ?? new Promise<void>(() => undefined);
  using _ = await beFirstOrAfter(stateFolder, { sources, stop });
  const unlocking: UnlockParts = {
    sources,
    fleet,
    pool,
    stateFolder,
    journalHasKeys: async () => await journalHasKeys(targets),
    forgetUnfinished: async () => {
      await forgetUnfinishedStart(targets);
    },
    journalFirst: async (root, entries) => {
      await using journal = await openGatewayJournal({ targets, roots: [root], onDamaged });
      await journal.append(entries);
    },
  };
  const store = stack.use(
    await openStore({
      file: join(dataFolder, "claviger.db"),
      stateFolder,
      sources,
      unlock: async (rows) => {
        const unlocked = await unsealed(options, { fleet, stop }, async () => await unlock(unlocking, rows));
        opened.roots = unlocked.roots;
        return unlocked;
      },
      onFault: (fault: RowFault) => {
        log.error(
          { code: "ROW_UNSEALED", table: fault.table, id: fault.id, fault: fault.fault },
          `ROW_UNSEALED ${fault.table} ${fault.id}: ${fault.fault}`,
        );
      },
      onError: (error) => {
        log.error({ error: String(error) }, "the store cannot be read");
      },
    }),
  );
  const onReplaced = ({ erased }: { readonly erased: boolean }): void => {
    if (!erased) {
      log.error(
        { code: "JOURNAL_DAMAGED" },
        "JOURNAL_DAMAGED: the journal was cut or replaced while it was open; what the store knows is told again",
      );
    }
    void tellAll({ journal, store }, log);
  };
  const journal = stack.use(await openGatewayJournal({ targets, roots: opened.roots, onDamaged, onReplaced }));
  return { store, journal, roots: opened.roots };
}

/** A gateway that serves waits for its root key; making a folder ready does not. */
async function unsealed<T>(
  { config, dataFolder, sources, log, version, listens }: GatewayOptions,
  { fleet, stop }: { readonly fleet: OpenFleet; readonly stop: Promise<void> },
  open: () => Promise<T>,
): Promise<T> {
  if (!listens) return await open();
  return await untilUnsealed(open, {
    sources,
    version,
    log,
    stop,
    host: config.listen.host,
    port: config.listen.port,
    tls: async () => (config.listen.insecureHttp ? { tls: undefined } : await findServerTls(config, dataFolder)),
    reach: async () => {
      await fleet.reach();
    },
  });
}

async function tellAll({ journal, store }: Pick<State, "journal" | "store">, log: Log): Promise<void> {
  try {
    await completeJournal(journal, store.catalog);
  } catch (error) {
    if (error instanceof KmsError && error.code === "SHUTTING_DOWN") return; // the next start does it
    log.error({ error: String(error) }, "the journal cannot be completed");
  }
}

type PartsInput = State & {
  readonly fleet: OpenFleet;
  readonly pool: ProviderPool;
  readonly slot: ProcessSlot;
  readonly metrics: Metrics;
  readonly stack: AsyncDisposableStack;
};

async function openParts(options: GatewayOptions, input: PartsInput): Promise<BrokerParts> {
  const { config, dataFolder, sources, log } = options;
  const { store, journal, roots, fleet, pool, slot, metrics, stack } = input;
  const signingKey = await auditSigningKey(dataFolder, { store, roots, sources });
  const audit = stack.use(openTrail(options, { signingKey, slot, dataFolder }));
  const { refreshMs, hardTtlMs } = config.envelope;
  const branchKeys = createBranchKeys({
    clock: sources.clock,
    random: sources.random,
    refreshMs,
    hardTtlMs,
    load: async (branch, version) => await loadBranchKey(parts, branch, version),
    onResult: (result) => {
      metrics.branchKey(result);
    },
  });
  stack.defer(() => {
    branchKeys.clear();
  });
  const parts: BrokerParts = {
    store,
    catalog: store.catalog,
    journal,
    sources,
    fleet,
    pool,
    branchKeys,
    audit: timedAudit(audit, { monotonicMs: () => sources.clock.monotonicMs(), onAppend: metrics.auditAppend }),
    policy: () => ({
      routes: config.routes,
      providers: [...fleet.members()].map(({ facts }) => facts),
      hash: config.policyHash,
    }),
    versionKeys: stack.use(createVersionKeys({ branchKeys })),
    publicKeys: new PublicKeyObjects(),
    importKeys: createImportKeys({ store, roots, sources }),
    statements: createStatementSigner(signingKey),
    messageIds: createMessageIdSource({
      random: createRandomPool(sources.random),
      clock: sources.clock,
      processSecret: sources.random.kernelBytes(32),
    }),
    settings: {
      gateway: slot.name,
      process: `${slot.name}-${createUuid(sources).slice(-8)}`,
      deadlineMs: config.resilience.deadlineMs,
      ...config.catalog,
      hardTtlMs,
    },
    flights: new Map(),
    running: new Set(),
    placing: new Map(),
    settling: new Map(),
    onAlarm: ({ kind, detail, ids }) => {
      log.error({ kind, ...ids }, `${kind}: ${detail}`);
    },
  };
  return parts;
}

/** The key that signs the trail and the gateway's statements; its public half is put beside the trail. */
async function auditSigningKey(
  dataFolder: string,
  parts: { readonly store: Store; readonly roots: readonly RootKey[]; readonly sources: Sources },
): Promise<KeyObject> {
  const key = await obtainSecret(parts, "audit-signing-key", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const publicPart = publicKey.export({ format: "pem", type: "spki" }).toString();
    return await Promise.resolve({ secret: privateKey.export({ format: "der", type: "pkcs8" }), publicPart });
  });
  const signingKey = createPrivateKey({ key: key.secret, format: "der", type: "pkcs8" });
  await publishAuditKey(join(dataFolder, "audit"), key.publicPart);
  key.secret.fill(0);
  return signingKey;
}

function openTrail(
  { config, sources, log }: GatewayOptions,
  {
    signingKey,
    slot,
    dataFolder,
  }: { readonly signingKey: KeyObject; readonly slot: ProcessSlot; readonly dataFolder: string },
): ReturnType<typeof openAuditTrail> {
  return openAuditTrail({
    folder: join(dataFolder, "audit"),
    process: slot.name,
    signingKey,
    anchors: config.audit.anchors,
    clock: sources.clock,
    scheduler: sources.scheduler,
    onTrouble: (message, cause) => {
      log.error({ cause: String(cause) }, message);
    },
  });
}

type Serving = {
  readonly metrics: Metrics;
  readonly closing: { readonly begun: boolean };
  readonly peers: PeerCertificates;
};

function handler(
  options: GatewayOptions,
  parts: BrokerParts,
  { metrics, closing, peers }: Serving,
): Parameters<typeof openServer>[0]["handle"] {
  const { config, sources, log, version, validatePolicy } = options;
  const idSources = { clock: sources.clock, random: createRandomPool(sources.random) };
  const kit: Kit = {
    budgets: { dataMs: config.resilience.deadlineMs, otherMs: 30_000 },
    newRequestId: () => createId("req", idSources),
    monotonicMs: () => sources.clock.monotonicMs(),
    authenticate: (request) => {
      const proof = proofOf(request, parts, peers);
      if (proof === undefined) throw unauthenticated();
      return authenticate({ catalog: parts.catalog, store: parts.store, clock: sources.clock }, proof);
    },
    refuses: (route) => {
      if (!closing.begun || route.plane === "ops") return undefined;
      return new KmsError("SHUTTING_DOWN", "the gateway is shutting down", { retryAfterSeconds: 1 });
    },
    onServed: ({ operation, requestId, code, durationMs, error }) => {
      metrics.request({ door: "rest", operation, code }, durationMs / 1000);
      if (error?.code === "INTERNAL" || error?.code === "INTEGRITY_FAILURE")
        log.error({ requestId, code, cause: causeOf(error) }, error.publicMessage);
    },
  };
  const door = restDoor(kit, {
    broker: parts,
    sources,
    readiness: () => readiness(parts, closing.begun),
    metrics: metrics.write,
    metricsOpen: isLoopback(config.listen.host),
    validatePolicy,
    version,
  });
  // A router, and no Express application around it: that would change the prototypes of every request and response
  return (request, response) => {
    door(request as Request, response as Response, (error: unknown) => {
      if (error === undefined || error === null) noRoute(kit, request, response);
      else badPath(kit, request, response, error);
    });
  };
}

/** The causes of an error in words: names and messages, never values. */
function causeOf(error: KmsError): string {
  const causes: string[] = [];
  for (let cause: unknown = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause)
    causes.push(cause.stack ?? cause.message);
  return causes.join("\ncaused by ");
}

function readiness(parts: BrokerParts, closing: boolean): readonly string[] {
  const stale = parts.sources.clock.monotonicMs() - parts.catalog.freshAtMs > parts.settings.protectStalenessMs;
  return [
    ...(closing ? ["shutting-down"] : []),
    ...(stale ? ["catalog-stale"] : []),
    ...(parts.audit.available ? [] : ["audit-unavailable"]),
  ];
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function addressOf({ listen }: Config, port: number): string {
  const host = listen.host === "0.0.0.0" || listen.host === "::" ? "localhost" : listen.host;
  return `${listen.insecureHttp ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function announce(
  store: Store,
  { options, address }: { readonly options: GatewayOptions; readonly address: string },
): Promise<void> {
  const cacert = options.config.listen.tls === null ? "ca.pem" : undefined;
  await ensureFirstAdmin(store, options.sources, { folder: options.dataFolder, address, cacert });
  await updateAddress(options.dataFolder, address);
}

async function settledWithin(work: Promise<void>, ms: number, { scheduler }: Sources): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = scheduler.after(ms, resolve);
  await Promise.race([work, promise]);
  timer[Symbol.dispose]();
}
