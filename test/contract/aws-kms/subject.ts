import { randomUUID } from "node:crypto";
// oxlint-disable-next-line no-restricted-imports -- the contract is that the vendor's own client works, whatever ours does
import { KMS, type KMSClientConfig } from "@aws-sdk/client-kms";
import { afterAll, expect, it } from "vitest";
import { openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import { DECLINED } from "./declined.ts";

/*
 * CLAVIGER_TEST_AWS_ENDPOINT runs the suite against something else than the fake, whose name in
 * CLAVIGER_TEST_AWS_NAME chooses the list of tests that it is known not to pass.
 */
const endpoint = process.env["CLAVIGER_TEST_AWS_ENDPOINT"]; // oxlint-disable-line node/no-process-env -- a test's switch
const name = process.env["CLAVIGER_TEST_AWS_NAME"]; // oxlint-disable-line node/no-process-env -- a test's switch

/** True where the fake itself is under test: what only it has (faults, a clock) is tested then. */
export const onFake = endpoint === undefined;

const declined: Readonly<Record<string, string>> = onFake || name === undefined ? {} : (DECLINED[name] ?? {});

/** A client of the fake, or of the endpoint that the environment names, for the tests of one file. */
export const openSubject = async (): Promise<KMS> => {
  const fake = endpoint === undefined ? await openAwsKmsFake() : undefined;
  const kms = createClient(endpoint ?? fake?.endpoint ?? "");
  afterAll(async () => {
    kms.destroy();
    await fake?.[Symbol.asyncDispose]();
  });
  return kms;
};

export const createClient = (url: string, more: KMSClientConfig = {}): KMS =>
  new KMS({
    endpoint: url,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example" },
    ...more,
  });

/** A test of the contract. One that the endpoint is known not to pass is run all the same, and must then fail. */
export const contract = (title: string, run: () => Promise<void>): void => {
  it(title, async (context) => {
    const reason = declined[title];
    if (reason === undefined) return await run();
    const passed = await run().then(
      () => true,
      () => false,
    );
    if (passed) throw new Error(`${name} passes "${title}": take it from the list of declined tests`);
    context.skip(reason);
  });
};

/** Expects a call to end as an error of the service, by its name. */
export const expectFailure = async (call: Promise<unknown>, errorName: string, message?: string): Promise<void> => {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ name: errorName, $metadata: { httpStatusCode: 400 } });
  if (message !== undefined && onFake) expect(error).toHaveProperty("message", message);
};

/** Creates a key and gives its id and ARN. */
export const createKey = async (
  kms: KMS,
  request: Parameters<KMS["createKey"]>[0] = {},
): Promise<{ readonly id: string; readonly arn: string }> => {
  const { KeyMetadata } = await kms.createKey(request);
  return { id: KeyMetadata?.KeyId ?? "", arn: KeyMetadata?.Arn ?? "" };
};

/** An alias name that no earlier run against the same endpoint has made. */
export const aliasName = (what: string): string => `alias/contract-${what}-${randomUUID().slice(0, 8)}`;

/** What an answer must have. */
export const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("the answer lacks a field");
  return value;
};

/** A copy with one bit changed. */
export const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
