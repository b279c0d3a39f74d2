import type { AlgorithmName } from "#core/algorithms.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import type { NewKey } from "./client.ts";
import type { Tools } from "./tools.ts";
import { obtainKey } from "./obtain-key.ts";
import { keyOpsOf, shapeOf } from "./specs.ts";
import { tagsOf } from "./tags.ts";

export type Spec = { readonly algorithm: AlgorithmName; readonly marker: string; readonly description: string };

/** Makes a key with a marker, or answers the one that has it. */
export async function createKey(
  tools: Tools & { readonly hardwareProtected: boolean },
  spec: Spec,
  call: CallContext,
): Promise<Observation> {
  const { algorithm, marker } = spec;
  const wanted = { ...formOf(algorithm, tools.hardwareProtected), keyOps: keyOpsOf(algorithm), tags: tagsOf(spec) };
  const make = async (name: string) => await tools.control.createKey({ name, ...wanted }, call);
  return await obtainKey(tools, { marker, algorithm, make }, call);
}

function formOf(algorithm: AlgorithmName, hardwareProtected: boolean): Pick<NewKey, "type" | "keySize" | "curve"> {
  const shape = shapeOf(algorithm);
  const type = hardwareProtected ? `${shape.family}-HSM` : shape.family;
  return shape.family === "EC" ? { type, curve: shape.curve } : { type, keySize: shape.bits };
}
