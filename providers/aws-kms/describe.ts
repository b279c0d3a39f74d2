import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KmsClient } from "./client.ts";
import { faultOf } from "./errors.ts";
import { aliasOf } from "./names.ts";
import { observationOf } from "./observation.ts";
import { present, requestIdOf } from "./present.ts";
import { readTags } from "./tags.ts";

/** One key, with the marker that its tags tell. */
export async function describeKey(client: KmsClient, ref: NativeRef, call: CallContext): Promise<Observation> {
  const [answer, tags] = await Promise.all([client.describeKey({ KeyId: ref }, call), readTags(client, ref, call)]);
  const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer });
  const about = { ref: metadata.Arn ?? ref, marker: tags.marker, tags, requestId: requestIdOf(answer) };
  return observationOf(metadata, about);
}

/** The key that carries a marker, found through its alias; undefined if there is none. */
export async function findKey(client: KmsClient, marker: string, call: CallContext): Promise<Observation | undefined> {
  try {
    const answer = await client.describeKey({ KeyId: aliasOf(marker) }, call);
    const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer });
    const ref = present(metadata.Arn, { field: "Arn", answer });
    const tags = await readTags(client, ref, call); // takes no alias
    return observationOf(metadata, { ref, marker, tags, requestId: requestIdOf(answer) });
  } catch (error) {
    if (faultOf(error).failure === "NOT_FOUND") return undefined;
    throw error;
  }
}
