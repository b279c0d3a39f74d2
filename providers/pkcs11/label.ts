import { createHash } from "node:crypto";
import { ALGORITHM_NAMES, type AlgorithmName } from "#core/algorithms.ts";

/** What CKA_LABEL says of a key of ours. `new`: being made; nobody counts it. */
export type LabelState = "new" | "enabled" | "process-only" | "disabled";

export type Label = {
  readonly algorithm: AlgorithmName;
  readonly marker: string;
  /** Epoch seconds. */
  readonly created: number;
  /** Tells apart two that are made at once. */
  readonly mark: string;
  readonly state: LabelState;
};

const FORM = /^claviger1 (\S+) ([a-z0-9-]{1,64}) (\d{1,12}) ([0-9a-f]{16}) (new|enabled|process-only|disabled)$/u;

/** The beginning of a label, to which the process of the module adds mark and state. */
export function labelStart({ algorithm, marker, created }: Pick<Label, "algorithm" | "marker" | "created">): string {
  return `claviger1 ${algorithm} ${marker} ${created}`;
}

export function writeLabel(label: Label): string {
  return `${labelStart(label)} ${label.mark} ${label.state}`;
}

/** Undefined for labels of others. */
export function readLabel(text: string): Label | undefined {
  const [, algorithm, marker, created, mark, state] = FORM.exec(text) ?? [];
  if (algorithm === undefined || marker === undefined || mark === undefined) return undefined;
  if (!(ALGORITHM_NAMES as readonly string[]).includes(algorithm)) return undefined;
  return {
    algorithm: algorithm as AlgorithmName,
    marker,
    created: Number(created),
    mark,
    state: state as LabelState,
  };
}

/** CKA_ID of the key that carries a marker, in hexadecimal: half of a SHA-256. */
export function idOfMarker(marker: string): string {
  return createHash("sha256").update("claviger/1 pkcs11\0").update(marker).digest("hex").slice(0, 32);
}
