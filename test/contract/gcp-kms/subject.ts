import { KeyManagementServiceClient, type protos } from "@google-cloud/kms";
import { ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, expect } from "vitest";
import { crc32c } from "../../fakes/gcp-kms/crc32c.ts";
import { type GcpKmsFake, type GcpKmsFakeOptions, openGcpKmsFake } from "../../fakes/gcp-kms/fake.ts";

export const LOCATION = "projects/example/locations/europe-west1";
export const RING = `${LOCATION}/keyRings/contract`;
export const TOKEN = "ya29.example";

/** Options of every call: once, and the SDK's own retries off. `maxRetries: 0` would change the codes. */
export const once = { timeout: 5_000, retry: null };

/** The same for lists, of which one page is one call. */
export const onePage = { ...once, autoPaginate: false };

/**
 * A client of the fake. Over TLS a token goes with each call: `sslCreds` replaces all that the SDK does about
 * credentials, so channel and call credentials are combined here. `universeDomain` keeps it from asking the metadata
 * server; the override of the name keeps Node from warning of an address as a TLS name. gRPC's own delay before it
 * connects again is a second.
 */
export const createClient = (
  fake: Pick<GcpKmsFake, "host" | "port" | "ca">,
  token = TOKEN,
): KeyManagementServiceClient =>
  new KeyManagementServiceClient({
    apiEndpoint: fake.host,
    port: fake.port,
    projectId: "example",
    universeDomain: "googleapis.com",
    sslCreds: fake.ca === undefined ? ChannelCredentials.createInsecure() : withToken(fake.ca, token),
    "grpc.ssl_target_name_override": "localhost",
    "grpc.initial_reconnect_backoff_ms": 100,
  });

const withToken = (ca: string, token: string): ChannelCredentials =>
  credentials.combineChannelCredentials(
    ChannelCredentials.createSsl(Buffer.from(ca)),
    credentials.createFromMetadataGenerator((_options, callback) => {
      const metadata = new Metadata();
      metadata.set("authorization", `Bearer ${token}`);
      callback(null, metadata);
    }),
  );

export type Subject = { readonly fake: GcpKmsFake; readonly kms: KeyManagementServiceClient };

/** A fake with a key ring, and a client of it, for the tests of one file. */
export const openSubject = async (options: GcpKmsFakeOptions = {}): Promise<Subject> => {
  const fake = await openGcpKmsFake(options);
  const kms = createClient(fake);
  afterAll(async () => {
    await kms.close();
    await fake[Symbol.asyncDispose]();
  });
  await createRing(kms);
  return { fake, kms };
};

export const createRing = async (kms: KeyManagementServiceClient): Promise<void> => {
  await kms.createKeyRing({ parent: LOCATION, keyRingId: "contract", keyRing: {} }, once);
};

type NewKey = protos.google.cloud.kms.v1.ICryptoKey & { readonly skip?: boolean };
type Algorithm = keyof typeof protos.google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm;
type Purpose = keyof typeof protos.google.cloud.kms.v1.CryptoKey.CryptoKeyPurpose;

/** Creates a key under an id of its own and gives its name and that of its first version. */
export const createKey = async (
  kms: KeyManagementServiceClient,
  [purpose, algorithm]: readonly [Purpose, Algorithm],
  { skip = false, ...more }: NewKey = {},
): Promise<{ readonly name: string; readonly version: string }> => {
  const [key] = await kms.createCryptoKey(
    {
      parent: RING,
      cryptoKeyId: `k-${crypto.randomUUID()}`,
      cryptoKey: { purpose, versionTemplate: { algorithm }, ...more },
      skipInitialVersionCreation: skip,
    },
    once,
  );
  const name = present(key.name);
  return { name, version: `${name}/cryptoKeyVersions/1` };
};

export const SYMMETRIC = ["ENCRYPT_DECRYPT", "GOOGLE_SYMMETRIC_ENCRYPTION"] as const;

/** What the SDK makes of an answer that is not OK. */
export type Seen = Error & {
  readonly code?: number;
  readonly details?: string;
  readonly statusDetails?: readonly Readonly<Record<string, unknown>>[];
};

export const failureOf = async (call: Promise<unknown>): Promise<Seen> =>
  (await call.then(
    () => new Error("the call succeeded"),
    (caught: unknown) => caught,
  )) as Seen;

/** Expects a call to end with a code of gRPC and, if told, that message. */
export const expectFailure = async (call: Promise<unknown>, code: number, details?: string): Promise<void> => {
  const error = await failureOf(call);
  expect(error).toMatchObject(details === undefined ? { code } : { code, details });
};

/** What an answer must have. */
export const present = <T>(value: T | null | undefined): T => {
  if (value === undefined || value === null) throw new Error("the answer lacks a field");
  return value;
};

export const bytes = (value: Uint8Array | string | null | undefined): Buffer =>
  Buffer.from(present(value) as Uint8Array);

/** The checksum of bytes as a request carries it. */
export const sum = (value: Uint8Array): { readonly value: number } => ({ value: crc32c(value) });

/** Holds an answer's bytes to the checksum beside them. */
export const expectSum = (value: Uint8Array | string | null | undefined, crc: unknown): void => {
  const sent = typeof crc === "object" && crc !== null && "value" in crc ? crc.value : crc;
  expect(String(sent)).toBe(String(crc32c(bytes(value))));
};

/** A copy with one bit changed. */
export const flip = (value: Uint8Array, at: number): Buffer =>
  Buffer.from(value.map((byte, index) => (index === at ? byte ^ 1 : byte)));
