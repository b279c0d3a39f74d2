import type { AlgorithmName } from "#core/algorithms.ts";
import { idOfMarker, labelStart } from "./label.ts";
import type { Spec } from "./specs.ts";
import type { CreateInput } from "./wire.ts";

/** What the module is asked for a new key of a marker. `now` in epoch milliseconds. */
export function newKey({
  algorithm,
  marker,
  spec,
  now,
}: {
  readonly algorithm: AlgorithmName;
  readonly marker: string;
  readonly spec: Spec;
  readonly now: number;
}): CreateInput {
  const { generate, secret, pair } = spec;
  return {
    id: idOfMarker(marker),
    label: labelStart({ algorithm, marker, created: Math.floor(now / 1000) }),
    mechanism: generate,
    ...(secret === undefined ? {} : { secret }),
    ...(pair === undefined ? {} : { pair }),
  };
}
