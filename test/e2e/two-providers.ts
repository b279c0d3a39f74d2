import type { AwsKmsFake } from "../fakes/aws-kms/fake.ts";

/** A line of the configuration for a provider on a fake, whose failures are its own. */
export function awsLine(name: string, { region, endpoint }: Pick<AwsKmsFake, "region" | "endpoint">): string {
  return `${name}: { kind: aws-kms, region: ${region}, endpoint: "${endpoint}", failureDomain: ${name}, credentials: { data: { accessKeyId: test, secretAccessKey: test } } }`;
}

export type Configured = {
  /** The lines under `providers`. */
  readonly providers: readonly string[];
  readonly minimum?: number;
  readonly resilience?: string;
  readonly envelope?: string;
};

/** A configuration whose keys are held by every provider. */
export function configOf({ providers, minimum = 2, resilience = "{}", envelope = "{}" }: Configured): string {
  return `
providers:
  ${providers.join("\n  ")}
routes: [{ name: default, place: { holders: all, minimum: ${minimum} } }]
resilience: ${resilience}
envelope: ${envelope}
`;
}

/** The software HSM of these tests, in a failure domain of its own. */
export const HSM_LINE = "hsm: { kind: local-hsm, failureDomain: hsm }";

/** Breakers that never open: for tests in which fault follows fault. */
export const PATIENT =
  "{ breaker: { failureRateThreshold: 100, minimumCalls: 10000, consecutiveOutages: 1000, slowCallMs: 60000 } }";

/** A breaker whose cycle is short; the wait of an idle one is the product's own. */
export const BRISK_BREAKER = "breaker: { openForMs: 500, openForMaxMs: 1000 }";
export const BRISK = `{ ${BRISK_BREAKER} }`;
