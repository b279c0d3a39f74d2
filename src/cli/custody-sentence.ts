import { numberAt, type Resource, textAt, textsAt, valueAt } from "./resource.ts";

/** Where a key's material lives and who can open it, in one sentence. */
export function custodySentence(key: Resource): string {
  const name = textAt(key, "name") ?? "the key";
  if (textAt(key, "custody.kind") === "native") {
    const provider = textAt(key, "custody.provider") ?? "its provider";
    return `${name}: held by ${provider} alone, which never gives it away and does every operation; while ${provider} is away nothing can be done with it.`;
  }
  const holders = textsAt(key, "custody.holders");
  const missing = new Set(textsAt(key, "replication.missing"));
  const ready = holders.filter((holder) => !missing.has(holder));
  const minimum = numberAt(key, "custody.minimum") ?? 1;
  const own = valueAt(key, "custody.dedicated") === true ? ", under a branch key of its own" : "";
  const waiting = missing.size === 0 ? "" : ` (${[...missing].join(", ")} not yet)`;
  return `${name}: sealed in the gateway's database${own}; any one of ${ready.join(", ") || "no provider"} can open it${waiting}; it was usable once ${minimum} held it.`;
}
