import { KeyManagementServiceClient, type protos } from "@google-cloud/kms";
import { ChannelCredentials, credentials as grpcCredentials, Metadata } from "@grpc/grpc-js";
import { GoogleAuth } from "google-gax";
import type { CallContext } from "#core/provider.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { type CallKind, failed, noCredentials, refused } from "./errors.ts";
import type { GcpCredentials } from "./options.ts";

export type Version = protos.google.cloud.kms.v1.ICryptoKeyVersion;
export type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey;

export type ClientOptions = {
  readonly endpoint: string | undefined;
  /** Certificates in PEM, trusted instead of Google's. */
  readonly ca: string | undefined;
  /** Absent: application default credentials. */
  readonly credentials: GcpCredentials | undefined;
};

const SCOPES = ["https://www.googleapis.com/auth/cloudkms"];
/** The SDK cannot end a call: one whose caller has left runs on for so long. */
const TIMEOUT_MS = 15_000;
/** Its own retries are off in the one way that keeps the true code (providers.md 4.7). */
const ONCE = { timeout: TIMEOUT_MS, retry: null } as const;
/** gRPC's own is a second, in which every call fails after one refused connection. */
const RECONNECT_MS = 100;

type Connected = { readonly client: KeyManagementServiceClient; readonly token: () => Promise<unknown> };

/** The calls of Cloud KMS that the adapter makes. Each is one request, and rejects with a ProviderError only. */
export type KmsClient = ReturnType<typeof openKmsClient>;

/** Opens a client without a call. */
export function openKmsClient(options: ClientOptions) {
  let current: Promise<Connected> | undefined;
  let closed = false;
  const connected = async (): Promise<Connected> => {
    if (closed) throw refused("the provider is closed");
    current ??= connect(options);
    const opening = current;
    opening.catch(() => {
      if (current === opening) current = undefined; // tried anew by the next call
    });
    return await opening;
  };
  const retire = (): void => {
    const old = current;
    current = undefined;
    old?.then(async ({ client }) => await client.close()).catch(() => undefined);
  };

  const unary =
    <I, O>(method: string, kind: CallKind = "plain", more: object = {}) =>
    async (input: I, call: CallContext): Promise<O> => {
      try {
        return await untilAborted(async () => {
          const { client, token } = await connected();
          await token();
          const methods = client as unknown as Readonly<
            Record<string, (input: I, options: object) => Promise<readonly [O]>>
          >;
          const [answer] = await (methods[method] ?? missing).call(client, input, { ...ONCE, ...more });
          return answer;
        }, call.signal);
      } catch (error) {
        throw failed(error, { kind, signal: call.signal });
      }
    };

  /** One page of a list, and the token of the next. */
  const page =
    <I, O>(method: string) =>
    async (input: I, call: CallContext): Promise<{ readonly items: readonly O[]; readonly next: string }> => {
      try {
        return await untilAborted(async () => {
          const { client, token } = await connected();
          await token();
          const methods = client as unknown as Readonly<
            Record<
              string,
              (
                input: I,
                options: object,
              ) => Promise<readonly [readonly O[], unknown, { nextPageToken?: string | null }]>
            >
          >;
          const [items, , answer] = await (methods[method] ?? missing).call(client, input, {
            ...ONCE,
            autoPaginate: false,
          });
          return { items, next: answer.nextPageToken ?? "" };
        }, call.signal);
      } catch (error) {
        throw failed(error, { kind: "plain", signal: call.signal });
      }
    };

  return {
    encrypt: unary<protos.google.cloud.kms.v1.IEncryptRequest, protos.google.cloud.kms.v1.IEncryptResponse>("encrypt"),
    decrypt: unary<protos.google.cloud.kms.v1.IDecryptRequest, protos.google.cloud.kms.v1.IDecryptResponse>(
      "decrypt",
      "verdict",
    ),
    rawEncrypt: unary<protos.google.cloud.kms.v1.IRawEncryptRequest, protos.google.cloud.kms.v1.IRawEncryptResponse>(
      "rawEncrypt",
    ),
    rawDecrypt: unary<protos.google.cloud.kms.v1.IRawDecryptRequest, protos.google.cloud.kms.v1.IRawDecryptResponse>(
      "rawDecrypt",
      "verdict",
    ),
    asymmetricSign: unary<
      protos.google.cloud.kms.v1.IAsymmetricSignRequest,
      protos.google.cloud.kms.v1.IAsymmetricSignResponse
    >("asymmetricSign"),
    asymmetricDecrypt: unary<
      protos.google.cloud.kms.v1.IAsymmetricDecryptRequest,
      protos.google.cloud.kms.v1.IAsymmetricDecryptResponse
    >("asymmetricDecrypt", "verdict"),
    macSign: unary<protos.google.cloud.kms.v1.IMacSignRequest, protos.google.cloud.kms.v1.IMacSignResponse>("macSign"),
    macVerify: unary<protos.google.cloud.kms.v1.IMacVerifyRequest, protos.google.cloud.kms.v1.IMacVerifyResponse>(
      "macVerify",
    ),
    decapsulate: unary<protos.google.cloud.kms.v1.IDecapsulateRequest, protos.google.cloud.kms.v1.IDecapsulateResponse>(
      "decapsulate",
      "verdict",
    ),
    getPublicKey: unary<protos.google.cloud.kms.v1.IGetPublicKeyRequest, protos.google.cloud.kms.v1.IPublicKey>(
      "getPublicKey",
    ),
    generateRandomBytes: unary<
      protos.google.cloud.kms.v1.IGenerateRandomBytesRequest,
      protos.google.cloud.kms.v1.IGenerateRandomBytesResponse
    >("generateRandomBytes"),
    getCryptoKey: unary<protos.google.cloud.kms.v1.IGetCryptoKeyRequest, CryptoKey>("getCryptoKey"),
    getVersion: unary<protos.google.cloud.kms.v1.IGetCryptoKeyVersionRequest, Version>("getCryptoKeyVersion"),
    getImportJob: unary<protos.google.cloud.kms.v1.IGetImportJobRequest, protos.google.cloud.kms.v1.IImportJob>(
      "getImportJob",
    ),
    createCryptoKey: unary<protos.google.cloud.kms.v1.ICreateCryptoKeyRequest, CryptoKey>(
      "createCryptoKey",
      "mutation",
    ),
    createImportJob: unary<protos.google.cloud.kms.v1.ICreateImportJobRequest, protos.google.cloud.kms.v1.IImportJob>(
      "createImportJob",
      "mutation",
    ),
    importVersion: unary<protos.google.cloud.kms.v1.IImportCryptoKeyVersionRequest, Version>(
      "importCryptoKeyVersion",
      "mutation",
    ),
    updateVersion: unary<protos.google.cloud.kms.v1.IUpdateCryptoKeyVersionRequest, Version>(
      "updateCryptoKeyVersion",
      "mutation",
    ),
    destroyVersion: unary<protos.google.cloud.kms.v1.IDestroyCryptoKeyVersionRequest, Version>(
      "destroyCryptoKeyVersion",
      "mutation",
    ),
    restoreVersion: unary<protos.google.cloud.kms.v1.IRestoreCryptoKeyVersionRequest, Version>(
      "restoreCryptoKeyVersion",
      "mutation",
    ),
    listCryptoKeys: page<protos.google.cloud.kms.v1.IListCryptoKeysRequest, CryptoKey>("listCryptoKeys"),
    listVersions: page<protos.google.cloud.kms.v1.IListCryptoKeyVersionsRequest, Version>("listCryptoKeyVersions"),
    renew: retire,
    close: (): void => {
      closed = true;
      retire();
    },
  };
}

function missing(): never {
  throw refused("the sdk has no such call");
}

async function connect({ endpoint, ca, credentials }: ClientOptions): Promise<Connected> {
  const place = placeOf(endpoint);
  const common = { ...place, universeDomain: "googleapis.com", "grpc.initial_reconnect_backoff_ms": RECONNECT_MS };
  if (credentials?.token !== undefined) {
    const token = unsafeRevealSecret(credentials.token);
    const sslCreds = place.plain ? ChannelCredentials.createInsecure() : channelOf(ca, token);
    return {
      client: new KeyManagementServiceClient({ ...common, sslCreds, projectId: "none" }),
      token: async () => await Promise.resolve(),
    };
  }
  try {
    const auth = new GoogleAuth({ scopes: SCOPES, ...accountOf(credentials) });
    const authClient = await auth.getClient();
    const client = new KeyManagementServiceClient({ ...common, authClient });
    const token = async (): Promise<void> => {
      try {
        await authClient.getAccessToken();
      } catch (error) {
        throw noCredentials(error);
      }
    };
    return { client, token };
  } catch (error) {
    throw noCredentials(error);
  }
}

function accountOf(credentials: GcpCredentials | undefined): object {
  if (credentials?.keyFile !== undefined) return { keyFilename: credentials.keyFile };
  if (credentials?.serviceAccount === undefined) return {};
  return { credentials: JSON.parse(unsafeRevealSecret(credentials.serviceAccount)) as object };
}

function placeOf(
  endpoint: string | undefined,
): { readonly apiEndpoint?: string; readonly port?: number; readonly plain?: boolean } & object {
  if (endpoint === undefined) return {};
  const { hostname, port, protocol } = new URL(endpoint);
  const plain = protocol === "http:";
  return { apiEndpoint: hostname, port: port === "" ? (plain ? 80 : 443) : Number(port), ...(plain ? { plain } : {}) };
}

/** `sslCreds` replaces all that the SDK does about credentials, so the token goes in here. */
function channelOf(ca: string | undefined, token: string): ChannelCredentials {
  return grpcCredentials.combineChannelCredentials(
    ChannelCredentials.createSsl(ca === undefined ? null : Buffer.from(ca)),
    grpcCredentials.createFromMetadataGenerator((_options, callback) => {
      const metadata = new Metadata();
      metadata.set("authorization", `Bearer ${token}`);
      callback(null, metadata);
    }),
  );
}

/** The SDK has no way to cancel: the promise rejects at once, and the call runs on to its timeout. */
async function untilAborted<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
