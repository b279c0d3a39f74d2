/** The bodies of lifecycle verbs (api.md § 8). */
import { z } from "zod";
import { STATE_REASONS } from "#core/states.ts";
import { defaulted, optional } from "./optional.ts";
import { characters, time } from "./primitives.ts";

const YEAR_SECONDS = 31_536_000;

const told = {
  detail: optional(characters(0, 1000)).describe("For the history of the key."),
  ticket: optional(characters(0, 128)).describe("For the history of the key."),
};
const why = characters(1, 200);

export const activateBody = z.strictObject(told).meta({ id: "ActivateRequest" });

export const suspendBody = z
  .strictObject({
    reason: z.enum(STATE_REASONS.suspended),
    processing: optional(z.enum(["allow", "deny"])).describe(
      "Whether it still opens what exists. Unless told: deny for `hold` and `compromise-suspected`, otherwise allow.",
    ),
    ...told,
  })
  .meta({ id: "SuspendRequest", override: { examples: [{ reason: "hold", ticket: "INC-1042" }] } });

export const resumeBody = z
  .strictObject({ reason: why, ...told })
  .meta({ id: "ResumeRequest", override: { examples: [{ reason: "false alarm" }] } });

export const deactivateBody = z
  .strictObject({ reason: z.enum(["revoked", "superseded"]), ...told })
  .meta({ id: "DeactivateRequest", override: { examples: [{ reason: "superseded" }] } });

export const compromiseBody = z
  .strictObject({ reason: why, occurrenceTime: optional(time).describe("Since when."), ...told })
  .meta({ id: "CompromiseRequest", override: { examples: [{ reason: "a backup was lost", ticket: "INC-1043" }] } });

export const rotateBody = z
  .strictObject({
    reason: optional(why),
    prepublishSeconds: defaulted(z.int().min(0).max(YEAR_SECONDS), 0).describe(
      "How long the new version is published before it becomes primary.",
    ),
    ...told,
  })
  .meta({ id: "RotateRequest" });

export const archiveBody = z.strictObject(told).meta({ id: "ArchiveRequest" });

export const destroyBody = z
  .strictObject({
    confirmName: z.string().max(128).describe("The name of the key, typed again."),
    windowDays: defaulted(z.int().min(7).max(90), 30).describe("For how long the destruction can be cancelled."),
    planHash: optional(characters(1, 100)).describe(
      "Of the dry run that was looked at: refused if the key has changed.",
    ),
    ...told,
  })
  .meta({ id: "DestroyRequest", override: { examples: [{ confirmName: "orders", windowDays: 30 }] } });

export const destroyVersionBody = z
  .strictObject({
    confirmName: z.string().max(128).describe("The name of the key, typed again."),
    windowDays: defaulted(z.int().min(7).max(90), 30).describe("For how long the destruction can be cancelled."),
    ...told,
  })
  .meta({ id: "DestroyVersionRequest" });

export const cancelDestroyBody = z.strictObject(told).meta({ id: "CancelDestroyRequest" });

export const emptyBody = z.strictObject({});
