import {
  type $Command,
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  type KMSClientConfig,
  type KMSClientResolvedConfig,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  VerifyCommand,
  VerifyMacCommand,
} from "@aws-sdk/client-kms";
import { ProviderError } from "#core/failures.ts";
import type { CallContext } from "#core/provider.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { credentialsFault, faultOf, isUnread, refused } from "./errors.ts";
import type { AwsCredentials } from "./options.ts";

export type {
  EncapsulationAlgorithmSpec,
  EncryptionAlgorithmSpec,
  KeyAgreementAlgorithmSpec,
  KeyMetadata,
  KeySpec,
  KeyUsageType,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
} from "@aws-sdk/client-kms";

export type ClientOptions = {
  readonly region: string;
  readonly endpoint: string | undefined;
  /** Certificates in PEM, trusted instead of Node's own. */
  readonly ca: string | undefined;
  /** Absent: the SDK's default chain. */
  readonly credentials: AwsCredentials | undefined;
};

/** The calls of AWS KMS that the adapter makes. Each is one request, and rejects with a {@link ProviderError} only. */
export type KmsClient = ReturnType<typeof openKmsClient>;

/** Opens a client without a call. */
export function openKmsClient(options: ClientOptions) {
  const connect = (): Connected => ({ client: new KMSClient(configOf(options)), calls: 0, retired: false });
  let current = connect();
  let closed = false;

  const send = async <I extends ServiceInputTypes, O extends ServiceOutputTypes>(
    command: Command<I, O>,
    { signal }: CallContext,
  ): Promise<O> => {
    if (closed) throw refused("the provider is closed");
    const connected = current;
    connected.calls += 1;
    try {
      await requireCredentials(connected.client);
      return await connected.client.send(command, { abortSignal: signal });
    } finally {
      connected.calls -= 1;
      destroyUnused(connected);
    }
  };

  const ask =
    <I extends ServiceInputTypes, O extends ServiceOutputTypes>(
      Command: new (input: I) => Command<I, O>,
      { mutates = false } = {},
    ) =>
    async (input: I, call: CallContext): Promise<O> => {
      try {
        return await untilAborted(() => send(new Command(input), call), call.signal);
      } catch (error) {
        throw failed(error, { mutates, signal: call.signal });
      }
    };

  return {
    encrypt: ask(EncryptCommand),
    decrypt: ask(DecryptCommand),
    sign: ask(SignCommand),
    verify: ask(VerifyCommand),
    generateMac: ask(GenerateMacCommand),
    verifyMac: ask(VerifyMacCommand),
    deriveSharedSecret: ask(DeriveSharedSecretCommand),
    encapsulate: ask(EncapsulateCommand),
    decapsulate: ask(DecapsulateCommand),
    getPublicKey: ask(GetPublicKeyCommand),
    generateRandom: ask(GenerateRandomCommand),
    describeKey: ask(DescribeKeyCommand),
    listKeys: ask(ListKeysCommand),
    listAliases: ask(ListAliasesCommand),
    listResourceTags: ask(ListResourceTagsCommand),
    getKeyPolicy: ask(GetKeyPolicyCommand),
    getParametersForImport: ask(GetParametersForImportCommand),
    createKey: ask(CreateKeyCommand, { mutates: true }),
    createAlias: ask(CreateAliasCommand, { mutates: true }),
    enableKey: ask(EnableKeyCommand, { mutates: true }),
    disableKey: ask(DisableKeyCommand, { mutates: true }),
    scheduleKeyDeletion: ask(ScheduleKeyDeletionCommand, { mutates: true }),
    cancelKeyDeletion: ask(CancelKeyDeletionCommand, { mutates: true }),
    putKeyPolicy: ask(PutKeyPolicyCommand, { mutates: true }),
    tagResource: ask(TagResourceCommand, { mutates: true }),
    untagResource: ask(UntagResourceCommand, { mutates: true }),
    importKeyMaterial: ask(ImportKeyMaterialCommand, { mutates: true }),
    /** Makes a fresh client, with fresh connections and credentials. Calls under way end on the connections that they have. */
    renew(): void {
      current.retired = true;
      destroyUnused(current);
      current = connect();
    },
    close(): void {
      closed = true;
      current.client.destroy();
    },
  };
}

type Connected = { readonly client: KMSClient; calls: number; retired: boolean };

function destroyUnused({ client, calls, retired }: Connected): void {
  if (retired && calls === 0) client.destroy();
}

type Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  KMSClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/**
 * Everything that the SDK would otherwise take from the environment is said here, credentials excepted. An endpoint in the
 * environment may well be this gateway's own door.
 */
function configOf({ region, endpoint, ca, credentials }: ClientOptions): KMSClientConfig {
  // Not 50, the SDK's default: who waits for a socket would run into the connect timeout. The bulkhead is the limit.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return {
    region,
    ...(endpoint === undefined ? { ignoreConfiguredEndpointUrls: true } : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: revealed(credentials) }),
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: "standard",
    retryMode: "standard",
    maxAttempts: 1,
    userAgentAppId: "claviger",
    requestHandler: {
      connectionTimeout: 500,
      // The caller's signal ends a call; this only bounds one whose signal never fires.
      requestTimeout: 30_000,
      throwOnRequestTimeout: true, // else a breach is a line on the console
      socketTimeout: 0, // errors tell it and the connect timeout apart by that (network-errors.ts)
      httpAgent: agent,
      httpsAgent: ca === undefined ? agent : { ...agent, ca },
    },
  };
}

function revealed({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) {
  return {
    accessKeyId,
    secretAccessKey: unsafeRevealSecret(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: unsafeRevealSecret(sessionToken) }),
  };
}

/** Credentials come first, so that their failure is told from the service's, and is never a mutation that was sent. */
async function requireCredentials(client: KMSClient): Promise<void> {
  try {
    await client.config.credentials();
  } catch (error) {
    throw new ProviderError(credentialsFault(error), error);
  }
}

/** Runs `work`, and rejects as soon as the signal fires, even where the SDK does not listen to it. */
async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function failed(error: unknown, { mutates, signal }: { mutates: boolean; signal: AbortSignal }): ProviderError {
  if (signal.aborted) {
    return new ProviderError(
      { failure: "CANCELLED", answered: false, detail: "the caller ended the call" },
      signal.reason,
    );
  }
  if (error instanceof ProviderError) return error;
  // An answer that does not parse may hold a plaintext, and the SDK hangs it on the error.
  return new ProviderError(faultOf(error, { mutates }), isUnread(error) ? undefined : error);
}
