import type { CapabilityRow } from "#core/provider.ts";

/** Algorithms that differ from others of their kind in size alone, and cost seconds: tried where every row is asked for. */
const COSTLY = /^(?:RSA-(?:3072|4096)-|SLH-DSA-)/u;

/** The rows that the suite tries in this run: all of them with CLAVIGER_TEST_EVERY_ROW, which `.ci/run` sets. */
export function triedRows({ algorithm }: CapabilityRow): boolean {
  return process.env["CLAVIGER_TEST_EVERY_ROW"] === "1" || !COSTLY.test(algorithm);
}
