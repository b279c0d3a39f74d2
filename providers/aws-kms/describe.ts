import type { CallContext, Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { KmsClient } from "./client.ts";
import { faultOf } from "./errors.ts";
import { aliasOf, markerOfTags } from "./names.ts";
import { observationOf } from "./observation.ts";
import { present, requestIdOf } from "./present.ts";

/** One key, with the marker that its tags tell. */
export async function describeKey(client: KmsClient, ref: NativeRef, call: CallContext): Promise<Observation> {
  const [answer, marker] = await Promise.all([client.describeKey({ KeyId: ref }, call), readMarker(client, ref, call)]);
  const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer });
  return observationOf(metadata, { ref: metadata.Arn ?? ref, marker, requestId: requestIdOf(answer) });
}

/** The key that carries a marker, found through its alias; undefined if there is none. */
export async function findKey(client: KmsClient, marker: string, call: CallContext): Promise<Observation | undefined> {
  try {
    const answer = await client.describeKey({ KeyId: aliasOf(marker) }, call);
    const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer });
    const ref = present(metadata.Arn, { field: "Arn", answer });
    return observationOf(metadata, { ref, marker, requestId: requestIdOf(answer) });
  } catch (error) {
    if (faultOf(error).failure === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** A marker that may not be read is none: the key is then taken for another's, and left alone. */
async function readMarker(client: KmsClient, ref: NativeRef, call: CallContext): Promise<string | null> {
  try {
    const { Tags = [] } = await client.listResourceTags({ KeyId: ref }, call);
    return markerOfTags(Tags) ?? null;
  } catch (error) {
    if (faultOf(error).failure === "DENIED") return null;
    throw error;
  }
}
