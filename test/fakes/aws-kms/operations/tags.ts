import { invalidTag } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { pageOf } from "../paging.ts";
import { keyToManage, refuseStates } from "../resolve.ts";
import type { Operations } from "./operation.ts";

const MAX_TAGS = 50;

export const tagOperations: Operations = {
  TagResource: (kms, input) => {
    const key = keyToManage(kms, input, "kms:TagResource");
    refuseStates(kms, key, ["PendingDeletion"]);
    const added = readTags(input);
    if (new Set([...key.tags.keys(), ...added.keys()]).size > MAX_TAGS) throw invalidTag("Too many tags");
    for (const [name, value] of added) key.tags.set(name, value);
    return {};
  },

  UntagResource: (kms, input) => {
    const key = keyToManage(kms, input, "kms:UntagResource");
    refuseStates(kms, key, ["PendingDeletion"]);
    for (const name of input.texts("TagKeys")) key.tags.delete(name);
    return {};
  },

  ListResourceTags: (kms, input) => {
    const key = keyToManage(kms, input, "kms:ListResourceTags");
    const { items, tail } = pageOf([...key.tags], input, { fallback: 50, max: 50, idOf: ([name]) => name });
    return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...tail };
  },
};

/** The member `Tags`, held to AWS's rules. */
export const readTags = (input: Input): ReadonlyMap<string, string> => {
  const pairs = input
    .items("Tags")
    .map((tag): [string, string] => [
      required(tag.text("TagKey", { min: 1, max: 128 }), "TagKey"),
      required(tag.text("TagValue", { max: 256 }), "TagValue"),
    ]);
  const tags = new Map(pairs);
  if (tags.size < pairs.length) throw invalidTag("Duplicate tag keys");
  if (tags.size > MAX_TAGS) throw invalidTag("Too many tags");
  if ([...tags.keys()].some((name) => name.startsWith("aws:"))) {
    throw invalidTag("Tags beginning with aws: are reserved");
  }
  return tags;
};
