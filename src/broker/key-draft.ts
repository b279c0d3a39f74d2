import type { AlgorithmName } from "#core/algorithms.ts";
import type { Custody } from "#core/custody.ts";
import type { KeyId } from "#core/ids.ts";
import type { Purpose } from "#core/purposes.ts";
import type { KeyRecord, Lifecycle, NamespaceRecord } from "#core/records.ts";
import { limitsOf, type RotationLimits } from "./rotation-limits.ts";
import type { PlacedKey } from "#policy/place-key.ts";
import type { CustodyRequest } from "#policy/wish.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";

/** What a new key should be; a member that is undefined takes its default (api.md § 5). Times are epoch milliseconds. */
export type KeyRequest = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly owner: string;
  readonly contacts: readonly string[];
  readonly dataClass: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly algorithm: AlgorithmName | undefined;
  readonly custody: CustodyRequest | undefined;
  readonly extractable: boolean;
  readonly sensitive: boolean;
  readonly activate: boolean | undefined;
  readonly activateTime: number | null;
  readonly protectStopTime: number | null;
  readonly deactivateTime: number | null;
  /** Undefined: 365 for portable keys; null: never. */
  readonly rotateEveryDays: number | null | undefined;
  readonly rotationLimits: RotationLimits;
  readonly onState: "stop" | "continue" | undefined;
  /** `import`: it is made without material, which comes from outside. */
  readonly material: "generate" | "import";
  /** Takes names that destroyed keys have. */
  readonly reuseName: boolean;
};

const DAY_MS = 86_400_000;
const DEFAULT_ROTATION_DAYS = 365;

export type Draft = {
  readonly id: KeyId;
  readonly namespace: NamespaceRecord;
  readonly request: KeyRequest;
  readonly placed: PlacedKey;
  readonly custody: Custody;
};

/** The record of a new key before its material is made. */
export function keyRecord(
  parts: BrokerParts,
  caller: Caller,
  { id, namespace, request, placed, custody }: Draft,
): KeyRecord {
  const now = parts.sources.clock.now();
  const imports = request.material === "import";
  const begins = isBornActive(namespace, request, now);
  const active = begins && !imports;
  const everyDays = rotationDays(request, custody);
  const { name, aliases, labels, description, owner, contacts, dataClass, attributes, purpose } = request;
  return {
    ...birthLifecycle(request, active),
    ...(imports && awaitingLifecycle(request, begins, now)),
    id,
    namespace: namespace.name,
    name,
    aliases,
    labels,
    description,
    owner,
    contacts,
    dataClass,
    attributes,
    purpose,
    algorithm: placed.algorithm,
    custody,
    origin: imports ? "imported" : "generated",
    exportability: {
      extractable: request.extractable,
      // what was outside once was never only inside
      neverExtractable: !imports && !request.extractable,
      sensitive: request.sensitive,
      alwaysSensitive: !imports && request.sensitive,
      fresh: !imports,
    },
    links: [],
    hold: null,
    primaryVersion: active ? 1 : null,
    pendingVersion: null,
    pendingTime: null,
    latestVersion: imports ? 0 : 1,
    rotation: {
      everyDays,
      ...limitsOf(request.rotationLimits, { algorithm: placed.algorithm, custody }),
      nextTime: everyDays === null ? null : now + everyDays * DAY_MS,
    },
    onState: request.onState ?? placed.onState,
    route: placed.route,
    branch: null,
    generation: 1,
    createTime: now,
    updateTime: now,
    createdBy: caller.principal.client.id,
  };
}

/** Portable keys rotate by themselves, since that calls nobody. */
function rotationDays({ rotateEveryDays }: KeyRequest, { kind }: Custody): number | null {
  if (rotateEveryDays !== undefined) return rotateEveryDays;
  return kind === "portable" ? DEFAULT_ROTATION_DAYS : null;
}

function isBornActive(namespace: NamespaceRecord, { activate, activateTime }: KeyRequest, now: number): boolean {
  if (activateTime !== null && activateTime > now) return false;
  return activate ?? namespace.activation === "automatic";
}

function birthLifecycle({ activateTime, protectStopTime, deactivateTime }: KeyRequest, active: boolean): Lifecycle {
  return {
    state: active ? "active" : "generated",
    stateReason: active ? null : "created",
    processing: null,
    previousReason: null,
    activateTime,
    protectStopTime,
    deactivateTime,
    destroyTime: null,
    compromiseOccurrenceTime: null,
  };
}

/** Whether it begins with its material is told by a date, as of a key that its provider is still making. */
function awaitingLifecycle(
  { activateTime }: KeyRequest,
  begins: boolean,
  now: number,
): Pick<Lifecycle, "stateReason" | "activateTime"> {
  return { stateReason: "awaiting-material", activateTime: activateTime ?? (begins ? now : null) };
}

/** A first version is in the state of its key; its key's dates clip it. */
export function firstLifecycle(key: KeyRecord): Lifecycle {
  const { state, stateReason, activateTime } = key;
  return {
    state,
    stateReason,
    activateTime,
    processing: null,
    previousReason: null,
    protectStopTime: null,
    deactivateTime: null,
    destroyTime: null,
    compromiseOccurrenceTime: null,
  };
}
