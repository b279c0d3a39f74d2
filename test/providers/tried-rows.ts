import type { CapabilityRow } from "#core/provider.ts";

/** Algorithms that differ from others of their kind in size alone, and cost seconds: tried where everything is. */
const COSTLY = /^(?:RSA-(?:3072|4096)-|SLH-DSA-)/u;

/** The rows that the suite tries in this run: all of them with CLAVIGER_TEST_ALL, which `.ci/run` sets. */
export function triedRows({ algorithm }: CapabilityRow): boolean {
  return process.env["CLAVIGER_TEST_ALL"] === "1" || !COSTLY.test(algorithm);
}
