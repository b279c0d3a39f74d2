import { type FieldError, KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { requireForwardDates } from "#core/state-machine.ts";
import { labelsInRules } from "#policy/routes.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey } from "./change-key.ts";
import { requireNoRotation } from "./create-key.ts";
import { limitsOf, limitsSet, type RotationLimits } from "./rotation-limits.ts";
import { waitingVersions } from "./waiting-versions.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";

/** Merged by name, where `null` removes one; or all of them removed. */
export type TextChanges = Readonly<Record<string, string | null>> | "clear";

/** What PATCH may change; a member that is undefined stays. */
export type KeyPatch = {
  readonly aliases?: readonly string[];
  readonly labels?: TextChanges;
  readonly attributes?: TextChanges;
  readonly description?: string;
  readonly owner?: string;
  readonly contacts?: readonly string[];
  readonly dataClass?: string;
  readonly activateTime?: number | null;
  readonly protectStopTime?: number | null;
  readonly deactivateTime?: number | null;
  /** `null` switches automatic rotation off. */
  readonly rotateEveryDays?: number | null;
  readonly rotationLimits?: RotationLimits;
};

const DAY_MS = 86_400_000;

/** @throws {KmsError} `INVALID_ARGUMENT` for an alias that is the key's own name; `IMMUTABLE_FIELD` for a label that a rule names; `ILLEGAL_TRANSITION` for a date that moves a state backwards; `NAME_TAKEN` */
export async function updateKey(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  patch: KeyPatch,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, reference, {
    action: "update",
    permission: "keys.change",
    decide: (key, catalog, now) => {
      requireOtherNames(key, patch);
      requireFreeLabels(parts, key, patch);
      if (key.origin === "imported") requireNoRotation(patch);
      const next = patched(key, patch, now);
      requireForwardDates(key, next, now);
      return { next, mutations: waitingVersions(catalog, next) };
    },
  });
}

function requireOtherNames({ name }: KeyRecord, { aliases = [] }: KeyPatch): void {
  const at = aliases.indexOf(name);
  if (at < 0) return;
  throw new KmsError("INVALID_ARGUMENT", "aliases: one is the key's own name", {
    errors: [{ pointer: `/aliases/${at}`, code: "duplicate", detail: "is the key's own name" }],
  });
}

function patched(key: KeyRecord, patch: KeyPatch, now: number): KeyRecord {
  const { labels, attributes, rotateEveryDays, rotationLimits = {}, ...plain } = patch;
  return {
    ...key,
    ...withoutUndefined(plain),
    labels: merged(key.labels, labels),
    attributes: merged(key.attributes, attributes),
    rotation: {
      ...(rotateEveryDays === undefined ? key.rotation : rotation(key, rotateEveryDays, now)),
      ...limitsOf({ ...limitsSet(key), ...rotationLimits }, key),
    },
  };
}

function rotation(key: KeyRecord, everyDays: number | null, now: number): KeyRecord["rotation"] {
  return { ...key.rotation, everyDays, nextTime: everyDays === null ? null : now + everyDays * DAY_MS };
}

function merged(old: Readonly<Record<string, string>>, changes: TextChanges = {}): Record<string, string> {
  if (changes === "clear") return {};
  const all = Object.entries({ ...old, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function requireFreeLabels(parts: BrokerParts, key: KeyRecord, patch: KeyPatch): void {
  const ruled = labelsInRules(parts.policy().routes);
  const { labels = {} } = patch;
  const changes = labels === "clear" ? Object.fromEntries(Object.keys(key.labels).map((name) => [name, null])) : labels;
  const errors = Object.entries(changes)
    .filter(([name, value]) => ruled.has(name) && (key.labels[name] ?? null) !== value)
    .map(([name]): FieldError => ({
      pointer: `/labels/${name}`,
      code: "conflict",
      detail: "a route names this label; it cannot be changed",
    }));
  if (errors.length === 0) return;
  throw new KmsError("IMMUTABLE_FIELD", "labels: a label that a route names cannot be changed", { errors });
}
