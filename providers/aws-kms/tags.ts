import type { AlgorithmName } from "#core/algorithms.ts";
import type { CallContext } from "#core/provider.ts";
import type { KmsClient } from "./client.ts";
import { faultOf } from "./errors.ts";
import { algorithmsOf, shapeOf } from "./specs.ts";

type Tag = { readonly TagKey: string | undefined; readonly TagValue: string | undefined };

/** What the tags of a key tell; null for what they do not. */
export type KeyTags = {
  readonly marker: string | null;
  /** As it was written: whether it is an algorithm of the key's is for the reader to see. */
  readonly algorithm: string | null;
  readonly processOnly: boolean;
};

const MARKER = "claviger:marker";
const OWNER = "claviger:owner";
const ALGORITHM = "claviger:algorithm";
export const STATE = "claviger:state";
const PROCESS_ONLY = "process-only";

/** The tag of a key that is kept from protecting. */
export const PROCESS_ONLY_TAG = { TagKey: STATE, TagValue: PROCESS_ONLY } as const;

/** What a key of ours is born with: so one whose alias was not made can still be told, and keys of RSA from each other. */
export function tagsOf({ marker, algorithm }: { readonly marker: string; readonly algorithm: AlgorithmName }): Tag[] {
  const { keySpec, keyUsage } = shapeOf(algorithm);
  return [
    { TagKey: MARKER, TagValue: marker },
    { TagKey: OWNER, TagValue: "claviger" },
    ...(algorithmsOf(keySpec, keyUsage).length > 1 ? [{ TagKey: ALGORITHM, TagValue: algorithm }] : []),
  ];
}

/** Tags that may not be read are none: the key is then taken for another's, and left alone. */
export async function readTags(client: KmsClient, ref: string, call: CallContext): Promise<KeyTags> {
  try {
    const { Tags = [] } = await client.listResourceTags({ KeyId: ref }, call);
    return tellTags(Tags);
  } catch (error) {
    if (faultOf(error).failure === "DENIED") return tellTags([]);
    throw error;
  }
}

function tellTags(tags: readonly Tag[]): KeyTags {
  const valueOf = (name: string): string | null => tags.find(({ TagKey }) => TagKey === name)?.TagValue ?? null;
  return { marker: valueOf(MARKER), algorithm: valueOf(ALGORITHM), processOnly: valueOf(STATE) === PROCESS_ONLY };
}
