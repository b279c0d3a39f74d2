import type { Catalog, Mutation } from "#core/catalog.ts";
import { primaryVersionAt } from "#core/effective-lifecycle.ts";
import { KmsError } from "#core/errors.ts";
import { type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";
import { type LifecycleVerb, transition } from "#core/state-machine.ts";
import type { Caller } from "./caller.ts";
import { changeKey, type Explanation, type NextKey } from "./change-key.ts";
import { hasDualControl } from "./change-state.ts";
import { approvalsWanted, requireName } from "./destroy-key.ts";
import { keyNotFound, versionOf } from "./key-reference.ts";
import type { BrokerParts } from "./parts.ts";
import { getVersion, type VersionView } from "./read-keys.ts";

/** What can be asked of one version; the key's own state caps what comes of it. */
export type VersionVerb = LifecycleVerb & {
  readonly kind: "activate" | "resume" | "make-primary" | "suspend" | "deactivate" | "destroy" | "cancel-destroy";
};

export type VersionChange = {
  readonly verb: VersionVerb;
  readonly explanation: Explanation;
  /** To destroy: the name of the key, typed again. */
  readonly confirmName?: string;
};

const RESTRICTING: ReadonlySet<VersionVerb["kind"]> = new Set(["suspend", "deactivate", "destroy"]);

/**
 * Changes the state of one version, or makes it the one that protects.
 *
 * @throws {KmsError} `KEY_NOT_FOUND` for a version that there is not; `ILLEGAL_TRANSITION`; `SEPARATION_OF_DUTIES` for loosening and
 *   destroying in a namespace with dual control
 */
export async function changeVersion(
  parts: BrokerParts,
  caller: Caller,
  { key, version }: { readonly key: string; readonly version: number },
  { verb, explanation, confirmName }: VersionChange,
): Promise<VersionView> {
  const named = version === 0 ? undefined : version;
  await changeKey(parts, caller, key, {
    action: `version-${verb.kind}`,
    permission: verb.kind === "suspend" ? "keys.suspend" : "keys.lifecycle",
    explanation: {
      ...explanation,
      detail: `version ${version}${explanation.detail === undefined ? "" : `: ${explanation.detail}`}`,
    },
    restricts: RESTRICTING.has(verb.kind),
    decide: (record, catalog, now) => {
      if (verb.kind === "destroy") requireName(record, confirmName);
      if (named === undefined || catalog.version(record.id, named) === undefined) throw keyNotFound();
      return changed(catalog, { key: record, version: versionOf(catalog, record, named), verb, now });
    },
  });
  return await getVersion(parts, caller, key, version);
}

type Change = {
  readonly key: KeyRecord;
  readonly version: VersionRecord;
  readonly verb: VersionVerb;
  readonly now: number;
};

function changed(catalog: Catalog, { key, version, verb, now }: Change): NextKey {
  const step = transition(version, verb, now);
  if (verb.kind === "make-primary") {
    requireActiveKey(key);
    const there = key.primaryVersion === version.version && key.pendingVersion === null;
    return there
      ? { next: key, unchanged: true }
      : { next: { ...key, primaryVersion: version.version, pendingVersion: null, pendingTime: null } };
  }
  if (step.kind === "unchanged") return { next: key, unchanged: true };
  if (verb.kind === "destroy") requireDestroyable(catalog, { key, version, now });
  if (step.rule.otherPerson && verb.kind !== "destroy" && hasDualControl(catalog, key)) {
    throw new KmsError(
      "SEPARATION_OF_DUTIES",
      "a version of a namespace with dual control is not resumed by one person",
      {
        help: "rotate the key: a new version takes over",
      },
    );
  }
  const id = versionRowId(key.id, version.version);
  const row: Mutation = { table: "versions", id, record: step.next, ifRevision: catalog.revisionOf("versions", id) };
  return { next: key, mutations: [row] };
}

/** The primary version is what the key stands on: it goes with the key. */
function requireDestroyable(catalog: Catalog, { key, version, now }: Omit<Change, "verb">): void {
  if (primaryVersionAt(key, now) === version.version || key.pendingVersion === version.version) {
    throw new KmsError("ILLEGAL_TRANSITION", "destroy: the version is the key's primary or pending one", {
      metadata: { verb: "destroy", keyVersion: String(version.version) },
      help: "rotate the key, or destroy the whole of it",
    });
  }
  if (hasDualControl(catalog, key)) throw approvalsWanted();
}

function requireActiveKey({ state }: KeyRecord): void {
  if (state === "active") return;
  throw new KmsError("ILLEGAL_TRANSITION", `make-primary: wanted an active key, it is ${state}`, {
    metadata: { verb: "make-primary", state },
  });
}
