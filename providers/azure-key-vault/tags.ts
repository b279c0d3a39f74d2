import type { AlgorithmName } from "#core/algorithms.ts";

/** The tags of a key, as the service has them: 15 at most, of 256 characters. */
export type Tags = Readonly<Record<string, string>>;

const MARKER = "claviger-marker";
const OWNER = "claviger-owner";
const ALGORITHM = "claviger-algorithm";
const DESCRIPTION = "claviger-description";
/** The key_ops of a key that is kept from protecting, as they were before. */
const KEY_OPS = "claviger-key-ops";
const MAX_CHARACTERS = 256;

type Born = { readonly marker: string; readonly algorithm: AlgorithmName; readonly description: string };

/** What a key of ours is born with: a key tells neither its purpose nor, of AES, its size. */
export function tagsOf({ marker, algorithm, description }: Born): Tags {
  const text = description.slice(0, MAX_CHARACTERS);
  return {
    [MARKER]: marker,
    [OWNER]: "claviger",
    [ALGORITHM]: algorithm,
    ...(text === "" ? {} : { [DESCRIPTION]: text }),
  };
}

/** The marker in the tags; null for keys of others. */
export function markerOf(tags: Tags = {}): string | null {
  return tags[MARKER] ?? null;
}

/** The algorithm as it was written, of a key of ours: whether the key is one for it is for the reader to see. */
export function taggedAlgorithm(tags: Tags = {}): string | null {
  return markerOf(tags) === null ? null : (tags[ALGORITHM] ?? null);
}

/** The key_ops from before a restriction; undefined where there is none. */
export function keptKeyOps(tags: Tags = {}): readonly string[] | undefined {
  return tags[KEY_OPS]?.split(" ");
}

/** The tags with the key_ops that a restriction takes away. */
export function withKeptKeyOps(tags: Tags = {}, keyOps: readonly string[] = []): Tags {
  return { ...tags, [KEY_OPS]: keyOps.join(" ") };
}

export function withoutKeptKeyOps(tags: Tags = {}): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => name !== KEY_OPS));
}
