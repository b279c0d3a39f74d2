import type { Catalog, Mutation } from "#core/catalog.ts";
import { createId, type KeyId, type Uuid } from "#core/ids.ts";
import type { KeyAdministration, KeyWrapper, Provider } from "#core/provider.ts";
import type { NamespaceRecord, RecipientRecord, WrapRecord } from "#core/records.ts";
import { recipientId } from "#envelope/recipient-id.ts";
import { wrapContextDigest, writeWrapPayload } from "#envelope/wrap-payload.ts";
import type { Deadline } from "#resilience/deadline.ts";
import type { FleetMember } from "./fleet.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";

/** What making a wrap needs of the gateway: at the first start there is no more. */
export type WrapParts = Pick<BrokerParts, "pool" | "sources"> & { readonly catalog: Pick<Catalog, "recipient"> };

/** Which branch key version is to be wrapped, for which namespace (or for one key alone). */
export type WrapTarget = {
  readonly namespace: NamespaceRecord;
  readonly branch: Uuid;
  readonly branchVersion: number;
  readonly dedicatedTo: KeyId | null;
  /** 32 bytes; stays the caller's. */
  readonly branchKey: Buffer;
};

export type WrapCall = { readonly requestId: string; readonly deadline: Deadline; readonly trace: Trace };

/** A wrap that a provider made, and the recipient that it stands under (an older one, or one made just now). */
export type WrittenWrap = { readonly recipient: RecipientRecord; readonly wrap: WrapRecord };

/** A member that can hold wraps: opened and identified. */
export type Holder = FleetMember & { readonly provider: Provider; readonly uid: string };

export function isHolder(member: FleetMember | undefined): member is Holder {
  return member?.provider !== undefined && member.uid !== undefined && member.misconfigured === undefined;
}

/**
 * Wraps a branch key version under the holder's recipient for the namespace; makes the recipient's key over there where there is none.
 * Writes nothing: the caller journals and records what comes back.
 *
 * @throws {ProviderError} as the calls fail
 */
export async function writeWrap(
  parts: WrapParts,
  holder: Holder,
  target: WrapTarget,
  call: WrapCall,
): Promise<WrittenWrap> {
  const recipient = await obtainRecipient(parts, holder, target, call);
  const ids = {
    namespace: target.namespace.id,
    branch: target.branch,
    branchVersion: target.branchVersion,
    recipient: recipient.id,
  };
  const payload = writeWrapPayload({ key: target.branchKey, ids });
  try {
    const { wrapper } = holder.provider;
    const made = await callProvider(parts, holder, "wrap", call, (context) =>
      wrapper.wrap({ ref: recipient.nativeRef, payload, context: wrapContextDigest(ids) }, context),
    );
    return { recipient, wrap: wrapRecord(parts, target, recipient, made.value) };
  } finally {
    payload.fill(0);
  }
}

/** The rows of a written wrap, for the transaction that records it. */
export function wrapMutations(catalog: Catalog, { recipient, wrap }: WrittenWrap): readonly Mutation[] {
  const known = catalog.recipient(recipient.id) !== undefined;
  const row: Mutation = { table: "wraps", id: wrap.id, record: wrap, ifRevision: 0 };
  return known ? [row] : [{ table: "recipients", id: recipient.id, record: recipient, ifRevision: 0 }, row];
}

function wrapRecord(parts: WrapParts, target: WrapTarget, recipient: RecipientRecord, wrap: Buffer): WrapRecord {
  return {
    id: createId("bnd", parts.sources),
    branch: target.branch,
    branchVersion: target.branchVersion,
    recipient: recipient.id,
    wrap: wrap.toString("base64"),
    desired: "enabled",
    quarantine: null,
    createTime: parts.sources.clock.now(),
  };
}

async function obtainRecipient(
  parts: WrapParts,
  holder: Holder,
  target: WrapTarget,
  call: WrapCall,
): Promise<RecipientRecord> {
  const id = recipientId({ namespace: target.namespace.id, dedicatedTo: target.dedicatedTo, providerUid: holder.uid });
  const known = parts.catalog.recipient(id);
  if (known !== undefined) return known;
  const { keys, capabilities } = holder.provider;
  const spec = {
    algorithm: capabilities.recipientAlgorithm,
    marker: `recipient-${id}`,
    description: `claviger recipient of namespace ${target.namespace.name}`,
  };
  const made = await callProvider(parts, holder, "create-key", call, (context) => keys.create(spec, context));
  return {
    id,
    namespace: target.namespace.name,
    providerUid: holder.uid,
    nativeRef: made.ref,
    dedicatedTo: target.dedicatedTo,
    createTime: parts.sources.clock.now(),
  };
}

type Operation = "wrap" | "create-key";
const PLANES = { wrap: "data", "create-key": "control" } as const;

async function callProvider<T extends Awaited<ReturnType<KeyWrapper["wrap"] | KeyAdministration["create"]>>>(
  parts: WrapParts,
  holder: Holder,
  operation: Operation,
  { deadline, requestId, trace }: WrapCall,
  run: Parameters<typeof parts.pool.call<T>>[3],
): Promise<T> {
  return await parts.pool.call(holder.name, PLANES[operation], operation, run, {
    deadline,
    requestId,
    mutation: operation === "create-key",
    onAttempt: (attempt) => trace.attempts.push(attempt),
  });
}
