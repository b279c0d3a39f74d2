import { dryRun } from "../failure.ts";
import type { Input } from "../input.ts";
import type { KmsState } from "../state.ts";

/** The members of an answer; undefined ones are left out, as JSON does. */
export type Answer = Readonly<Record<string, unknown>>;
export type Operation = (kms: KmsState, input: Input) => Answer | Promise<Answer>;
export type Operations = Readonly<Record<string, Operation>>;

/** A timestamp as AWS JSON 1.1 has it: seconds, with a fraction. */
export const seconds = (epochMs: number): number => epochMs / 1000;

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** Ends a dry run where the operation itself would begin. */
export const stopDryRun = (input: Input): void => {
  if (input.flag("DryRun")) throw dryRun();
};
