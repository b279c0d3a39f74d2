import type { CallContext, Observation } from "#core/provider.ts";
import type { KmsClient } from "./client.ts";
import { faultOf } from "./errors.ts";
import { markerOfAlias } from "./names.ts";
import { observationOf } from "./observation.ts";
import { type Answered, present, requestIdOf } from "./present.ts";
import { readTags } from "./tags.ts";

/**
 * Every key of the account in its Region: ListAliases (for the markers), ListKeys, and one DescribeKey and one ListResourceTags
 * per key, a few at a time. Also for keys of others: one that was adopted may be kept from protecting.
 * A key that is gone by then is left out; one that may not be read is `unknown`.
 */
export async function* listKeys(client: KmsClient, call: CallContext): AsyncGenerator<Observation> {
  const markers = await readMarkers(client, call);
  for await (const keys of pages(async (Marker) => await client.listKeys({ Limit: 1000, Marker }, call))) {
    const found = (keys.Keys ?? []).flatMap(({ KeyId, KeyArn }) =>
      KeyId === undefined || KeyArn === undefined ? [] : [{ ref: KeyArn, marker: markers.get(KeyId) ?? null }],
    );
    for (let from = 0; from < found.length; from += AT_ONCE) {
      const some = found.slice(from, from + AT_ONCE);
      const seen = await Promise.all(some.map(async (key) => await observe(client, key, call)));
      yield* seen.filter((observation) => observation !== undefined);
    }
  }
}

/** Of the quotas of 2,000 DescribeKey and as many ListResourceTags in a second, at some 10 ms each, this takes the smaller half. */
const AT_ONCE = 8;

/** The markers of keys by key id, from the aliases: no call per key. */
async function readMarkers(client: KmsClient, call: CallContext): Promise<ReadonlyMap<string, string>> {
  const markers = new Map<string, string>();
  for await (const { Aliases = [] } of pages(
    async (Marker) => await client.listAliases({ Limit: 100, Marker }, call),
  )) {
    for (const { AliasName = "", TargetKeyId } of Aliases) {
      const marker = markerOfAlias(AliasName);
      if (marker !== undefined && TargetKeyId !== undefined) markers.set(TargetKeyId, marker);
    }
  }
  return markers;
}

type Page = Answered & { readonly Truncated?: boolean | undefined; readonly NextMarker?: string | undefined };

async function* pages<P extends Page>(read: (marker: string | undefined) => Promise<P>): AsyncGenerator<P> {
  let marker: string | undefined;
  do {
    const page = await read(marker);
    yield page;
    // A list that breaks off must not look like a whole one: keys would seem to be gone.
    marker = page.Truncated === true ? present(page.NextMarker, { field: "NextMarker", answer: page }) : undefined;
  } while (marker !== undefined);
}

async function observe(
  client: KmsClient,
  { ref, marker }: { readonly ref: string; readonly marker: string | null },
  call: CallContext,
): Promise<Observation | undefined> {
  try {
    const [answer, tags] = await Promise.all([client.describeKey({ KeyId: ref }, call), readTags(client, ref, call)]);
    const metadata = present(answer.KeyMetadata, { field: "KeyMetadata", answer });
    return observationOf(metadata, { ref, marker, tags, requestId: requestIdOf(answer) });
  } catch (error) {
    const { failure, nativeCode = "", requestId = null } = faultOf(error);
    if (failure === "NOT_FOUND") return undefined;
    if (failure !== "DENIED") throw error;
    const unread = { algorithm: null, destroyTime: null, createTime: null, requestId };
    return { ref, observed: "unknown", nativeState: nativeCode, marker, ...unread };
  }
}
