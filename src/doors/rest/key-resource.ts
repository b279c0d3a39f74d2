import { z } from "zod";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import type { HistoryRecord } from "#core/records.ts";
import { PURPOSES } from "#core/purposes.ts";
import { STATES } from "#core/states.ts";
import type { KeyView } from "#broker/key-view.ts";
import type { VersionView } from "#broker/read-keys.ts";
import { iso, isoTime, isoTimeOrNull } from "./schema/primitives.ts";

const isoOrNull = iso.nullable();
const texts = z.record(z.string(), z.string());

const holders = z.array(z.string());

export const custodyAnswer = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("portable"),
      holders,
      minimum: z.int().describe("Failure domains that must hold it before it is used."),
      threshold: z.int(),
      dedicated: z.boolean(),
    }),
    z.object({ kind: z.literal("native"), provider: z.string() }),
    z.object({ kind: z.literal("replicated"), holders, minimum: z.int() }),
    z.object({ kind: z.literal("per-provider"), holders, minimum: z.int() }),
  ])
  .meta({ id: "Custody", description: "Where the material lives and who operates." });

/** A key as every answer shows it (api.md § 5). */
export const keyAnswer = z
  .object({
    id: z.string(),
    namespace: z.string(),
    route: z.string().meta({ description: "The route that placed it." }),
    generation: z.int().describe("1, and one more with each change."),
    createTime: iso,
    updateTime: iso,
    createdBy: z.string().describe("The client that did."),
    name: z.string(),
    aliases: z.array(z.string()),
    labels: texts,
    description: z.string(),
    owner: z.string(),
    contacts: z.array(z.string()),
    dataClass: z.string(),
    attributes: texts,
    purpose: z.enum(PURPOSES),
    algorithm: z.enum(ALGORITHM_NAMES),
    custody: custodyAnswer,
    origin: z.enum(["generated", "imported", "adopted"]),
    exportability: z.object({
      extractable: z.boolean(),
      neverExtractable: z.boolean(),
      sensitive: z.boolean(),
      alwaysSensitive: z.boolean(),
      fresh: z.boolean(),
    }),
    links: z.array(z.object({ kind: z.string(), key: z.string(), version: z.int().nullable() })),
    state: z.enum(STATES),
    stateReason: z.string().nullable().describe("Why it is in its state; null while active."),
    processing: z
      .enum(["allow", "deny"])
      .nullable()
      .describe("Whether a suspended key still opens what exists; null unless suspended."),
    hold: z
      .object({ binding: z.string().nullable(), class: z.string(), since: iso, driftId: z.string().nullable() })
      .nullable()
      .describe("What it stands still for until a person has looked; null if nothing."),
    primaryVersion: z.int().nullable().describe("The version that protects; null before activation."),
    pendingVersion: z.int().nullable().describe("Published, and not yet primary."),
    latestVersion: z.int().describe("Versions are 1, 2, 3 … without gaps."),
    activateTime: isoOrNull,
    protectStopTime: isoOrNull.describe("From then on it protects nothing new."),
    deactivateTime: isoOrNull,
    destroyTime: isoOrNull,
    lastUseTime: isoOrNull.meta({ description: "By the hour." }),
    rotation: z.object({
      everyDays: z.int().nullable(),
      maxMessages: z.int().nullable(),
      maxBytes: z.int().nullable(),
      nextTime: isoOrNull,
    }),
    onState: z.enum(["stop", "continue"]).describe("What a provider's state does to the key."),
    replication: z
      .object({ wanted: z.int(), ready: z.int(), minimum: z.int(), missing: z.array(z.string()) })
      .describe("Of what the primary version stands on: fewer `ready` than `wanted` is under-replicated."),
    openDrifts: z.int(),
    maxPlaintextBytes: z.int().nullable().describe("The largest plaintext; null if the purpose has none."),
    hardTtlTime: isoOrNull.meta({
      description: "Until when the key works without any provider; null while its branch key is cold.",
    }),
    unconfirmed: z
      .array(z.string())
      .meta({ description: "Processes that had not applied a restriction when the call answered." }),
  })
  .meta({ id: "Key" });

export function toKeyJson(view: KeyView): z.input<typeof keyAnswer> {
  const { key } = view;
  const {
    id,
    namespace,
    route,
    generation,
    createdBy,
    name,
    aliases,
    labels,
    description,
    owner,
    contacts,
    dataClass,
  } = key;
  return {
    id,
    namespace,
    route,
    generation,
    createTime: isoTime(key.createTime),
    updateTime: isoTime(key.updateTime),
    createdBy,
    name,
    aliases: [...aliases],
    labels,
    description,
    owner,
    contacts: [...contacts],
    dataClass,
    attributes: key.attributes,
    purpose: key.purpose,
    algorithm: key.algorithm,
    custody: key.custody as z.input<typeof custodyAnswer>,
    origin: key.origin,
    exportability: key.exportability,
    links: [...key.links],
    ...stateJson(view),
    rotation: { ...key.rotation, nextTime: isoTimeOrNull(key.rotation.nextTime) },
    onState: key.onState,
    replication: { ...view.replication, missing: [...view.replication.missing] },
    openDrifts: 0,
    maxPlaintextBytes: view.maxPlaintextBytes,
    hardTtlTime: isoTimeOrNull(view.hardTtlTime),
    unconfirmed: [...view.unconfirmed],
  };
}

type StateFields =
  | "state"
  | "stateReason"
  | "processing"
  | "hold"
  | "primaryVersion"
  | "pendingVersion"
  | "latestVersion"
  | "activateTime"
  | "protectStopTime"
  | "deactivateTime"
  | "destroyTime"
  | "lastUseTime";

function stateJson({ key, lastUseTime }: KeyView): Pick<z.input<typeof keyAnswer>, StateFields> {
  const { state, stateReason, processing, hold, primaryVersion, pendingVersion, latestVersion } = key;
  return {
    state,
    stateReason,
    processing,
    hold:
      hold === null ? null : { binding: hold.binding, class: hold.class, since: isoTime(hold.since), driftId: null },
    primaryVersion,
    pendingVersion,
    latestVersion,
    activateTime: isoTimeOrNull(key.activateTime),
    protectStopTime: isoTimeOrNull(key.protectStopTime),
    deactivateTime: isoTimeOrNull(key.deactivateTime),
    destroyTime: isoTimeOrNull(key.destroyTime),
    lastUseTime: isoTimeOrNull(lastUseTime),
  };
}

const bindingAnswer = z
  .object({
    id: z.string(),
    provider: z.string(),
    kind: z.enum(["wrap", "native", "copy"]),
    nativeRef: z.string().nullable(),
    desired: z.enum(["enabled", "process-only", "disabled", "destroyed"]),
    observed: z.string(),
    quarantined: z.boolean(),
    confirmed: z.enum(["requested", "accepted", "verified"]),
    observeTime: isoOrNull,
    lastError: z.string().nullable(),
  })
  .meta({ id: "Binding" });

export const versionAnswer = z
  .object({
    version: z.int(),
    state: z.enum(STATES),
    stateReason: z.string().nullable(),
    role: z.enum(["primary", "secondary", "pending"]),
    bindings: z.array(bindingAnswer),
    publicKey: z.string().nullable(),
    publicKeys: z.array(z.object({ kid: z.string(), provider: z.string(), publicKey: z.string() })),
    createTime: iso,
    activateTime: isoOrNull,
    deactivateTime: isoOrNull,
  })
  .meta({ id: "KeyVersion" });

export function toVersionJson({ version, role, bindings, publicKeys }: VersionView): z.input<typeof versionAnswer> {
  return {
    version: version.version,
    state: version.state,
    stateReason: version.stateReason,
    role,
    bindings: bindings.map(({ quarantine, ...binding }) => ({
      ...binding,
      quarantined: quarantine !== null,
      observeTime: null,
      lastError: quarantine === null ? null : `${quarantine.class}: ${quarantine.evidence}`,
    })),
    publicKey: publicKeys[0]?.publicKey.toString("base64") ?? null,
    publicKeys: publicKeys.map(({ kid, provider, publicKey }) => ({
      kid,
      provider,
      publicKey: publicKey.toString("base64"),
    })),
    createTime: isoTime(version.createTime),
    activateTime: isoTimeOrNull(version.activateTime),
    deactivateTime: isoTimeOrNull(version.deactivateTime),
  };
}

export const historyAnswer = z
  .object({
    generation: z.int(),
    time: iso,
    actor: z.string(),
    action: z.string(),
    from: z.enum(STATES).nullable(),
    to: z.enum(STATES),
    reason: z.string().nullable(),
    detail: z.string(),
    ticket: z.string(),
    requestId: z.string(),
  })
  .meta({ id: "HistoryEntry" });

export function toHistoryJson(entry: HistoryRecord): z.input<typeof historyAnswer> {
  const { generation, time, actor, action, from, to, reason, detail, ticket, requestId } = entry;
  return { generation, time: isoTime(time), actor, action, from, to, reason, detail, ticket, requestId };
}
