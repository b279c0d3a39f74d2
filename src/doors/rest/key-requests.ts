import type { z } from "zod";
import type { KeyRequest } from "#broker/key-draft.ts";
import type { KeyPatch } from "#broker/update-key.ts";
import type { custodyRequest } from "./schema/custody-request.ts";
import type { createKeyBody, updateKeyBody } from "./schema/key-requests.ts";

/** The use case's words for the body of `POST /v1/keys`. */
export function toKeyRequest(body: z.output<typeof createKeyBody>): KeyRequest {
  const { exportability, rotation, activateTime, protectStopTime, deactivateTime, custody, ...rest } = body;
  return {
    ...rest,
    custody: toCustody(custody),
    extractable: exportability?.extractable ?? false,
    sensitive: exportability?.sensitive ?? true,
    activateTime: activateTime ?? null,
    protectStopTime: protectStopTime ?? null,
    deactivateTime: deactivateTime ?? null,
    rotateEveryDays: rotation?.everyDays,
    rotationLimits: toLimits(rotation ?? undefined),
  };
}

/** Custody as the placement reads it: absent members follow the route. */
export function toCustody(custody: z.output<typeof custodyRequest> | undefined): KeyRequest["custody"] {
  if (custody === undefined) return undefined;
  const { kind } = custody;
  if (kind === "native") return { kind, ...(custody.provider === undefined ? {} : { holders: [custody.provider] }) };
  const { holders, minimum } = custody;
  const shared = { kind, ...(holders === undefined ? {} : { holders }), ...(minimum === undefined ? {} : { minimum }) };
  if (kind !== "portable") return shared;
  const { threshold, dedicated } = custody;
  return {
    ...shared,
    ...(threshold === undefined ? {} : { threshold }),
    ...(dedicated === undefined ? {} : { dedicated }),
  };
}

/** The use case's words for the body of `PATCH /v1/keys/{key}`: absent stays, `null` clears. */
export function toKeyPatch(body: z.output<typeof updateKeyBody>): KeyPatch {
  const {
    aliases,
    labels,
    attributes,
    description,
    owner,
    contacts,
    dataClass,
    activateTime,
    protectStopTime,
    deactivateTime,
    rotation,
  } = body;
  return {
    ...(aliases === undefined ? {} : { aliases: aliases ?? [] }),
    ...(labels === undefined ? {} : { labels: labels ?? "clear" }),
    ...(attributes === undefined ? {} : { attributes: attributes ?? "clear" }),
    ...(description === undefined ? {} : { description: description ?? "" }),
    ...(owner === undefined ? {} : { owner: owner ?? "" }),
    ...(contacts === undefined ? {} : { contacts: contacts ?? [] }),
    ...(dataClass === undefined ? {} : { dataClass: dataClass ?? "" }),
    ...(activateTime === undefined ? {} : { activateTime }),
    ...(protectStopTime === undefined ? {} : { protectStopTime }),
    ...(deactivateTime === undefined ? {} : { deactivateTime }),
    ...(rotation === undefined ? {} : toRotationPatch(rotation)),
  };
}

type Rotation = NonNullable<z.output<typeof updateKeyBody>["rotation"]>;

/** `null` clears all of it; a member that is absent stays. */
function toRotationPatch(rotation: Rotation | null): Pick<KeyPatch, "rotateEveryDays" | "rotationLimits"> {
  if (rotation === null) return { rotateEveryDays: null, rotationLimits: { maxMessages: null, maxBytes: null } };
  const { everyDays } = rotation;
  return { ...(everyDays === undefined ? {} : { rotateEveryDays: everyDays }), rotationLimits: toLimits(rotation) };
}

function toLimits({ maxMessages, maxBytes }: Partial<Rotation> = {}): NonNullable<KeyPatch["rotationLimits"]> {
  return {
    ...(maxMessages === undefined ? {} : { maxMessages }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
}
