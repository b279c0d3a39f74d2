import { createPublicKey } from "node:crypto";
import type { protos } from "@google-cloud/kms";
import {
  type CryptoKey,
  findVersion,
  type ImportJob,
  JOB_LIFE_MS,
  type KeyRing,
  type KmsState,
  stateOf,
  type Version,
} from "./state.ts";

type V1 = typeof protos.google.cloud.kms.v1;
type Message<M extends "KeyRing" | "CryptoKey" | "CryptoKeyVersion" | "ImportJob"> = NonNullable<
  Parameters<V1[M]["create"]>[0]
>;
type Timestamp = protos.google.protobuf.ITimestamp;

export const timestamp = (epochMs: number): Timestamp => ({
  seconds: Math.floor(epochMs / 1000),
  nanos: (epochMs % 1000) * 1_000_000,
});

const timeUnless = (epochMs: number | undefined): Timestamp | null =>
  epochMs === undefined ? null : timestamp(epochMs);

export const renderKeyRing = ({ name, createdMs }: KeyRing): Message<"KeyRing"> => ({
  name,
  createTime: timestamp(createdMs),
});

/** A key as answers show it. `primary` only if its purpose has one. */
export const renderKey = (key: CryptoKey): Message<"CryptoKey"> => {
  const primary = findVersion(key, key.primary.seen(Number.POSITIVE_INFINITY));
  return {
    name: key.name,
    primary: primary === undefined ? null : renderVersion(primary),
    purpose: key.purpose,
    createTime: timestamp(key.createdMs),
    nextRotationTime: timeUnless(key.nextRotationMs),
    ...(key.rotationMs === undefined ? {} : { rotationPeriod: { seconds: key.rotationMs / 1000 } }),
    versionTemplate: { protectionLevel: key.protectionLevel, algorithm: key.algorithm },
    labels: { ...key.labels },
    importOnly: key.importOnly,
    destroyScheduledDuration: { seconds: key.destroyScheduledMs / 1000 },
  };
};

export const renderVersion = (version: Version): Message<"CryptoKeyVersion"> => {
  const state = stateOf(version);
  return {
    name: version.name,
    state,
    protectionLevel: version.protectionLevel,
    algorithm: version.algorithm,
    createTime: timestamp(version.createdMs),
    generateTime: timeUnless(version.generatedMs),
    destroyTime: timeUnless(version.destroyMs),
    destroyEventTime: timeUnless(version.destroyEventMs),
    importJob: version.imported?.job ?? "",
    importTime: state === "PENDING_IMPORT" ? null : timeUnless(version.imported?.atMs),
    importFailureReason: state === "IMPORT_FAILED" ? (version.importFailure ?? "") : "",
    reimportEligible: version.imported !== undefined && (state === "DESTROYED" || state === "IMPORT_FAILED"),
  };
};

export type JobState = "PENDING_GENERATION" | "ACTIVE" | "EXPIRED";

export const jobStateOf = (kms: KmsState, job: ImportJob): JobState => {
  if (kms.now() < job.readyMs) return "PENDING_GENERATION";
  return kms.now() < job.createdMs + JOB_LIFE_MS ? "ACTIVE" : "EXPIRED";
};

/** An import job as answers show it, with the key to wrap under only while it is ACTIVE. */
export const renderJob = async (job: ImportJob, state: JobState): Promise<Message<"ImportJob">> => {
  const expireTime = timestamp(job.createdMs + JOB_LIFE_MS);
  const pem =
    state === "ACTIVE" ? createPublicKey(await job.unwrapWith()).export({ type: "spki", format: "pem" }) : undefined;
  return {
    name: job.name,
    importMethod: job.method as keyof V1["ImportJob"]["ImportMethod"],
    protectionLevel: job.protectionLevel,
    createTime: timestamp(job.createdMs),
    generateTime: state === "PENDING_GENERATION" ? null : timestamp(job.readyMs),
    expireTime,
    expireEventTime: state === "EXPIRED" ? expireTime : null,
    state,
    publicKey: pem === undefined ? null : { pem: pem.toString() },
  };
};
