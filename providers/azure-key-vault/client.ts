import {
  CryptographyClient,
  type JsonWebKey,
  KeyClient,
  type KeyVaultKey,
  type SignatureAlgorithm,
} from "@azure/keyvault-keys";
import { ProviderError } from "#core/failures.ts";
import type { Answer, CallContext } from "#core/provider.ts";
import { credentialsFault, type CallKind, faultOf, refused, type Seen } from "./errors.ts";
import { isLoopback } from "./options.ts";
import { type KeyRef, refOf } from "./refs.ts";
import { untilAborted } from "./until-aborted.ts";

export type { JsonWebKey, KeyProperties, KeyVaultKey } from "@azure/keyvault-keys";

/** What gives tokens, as @azure/core-auth has it. */
export type TokenSource = ConstructorParameters<typeof KeyClient>[1];

export type ClientOptions = {
  /** Origin of the vault or Managed HSM. */
  readonly url: string;
  /** Certificates in PEM, trusted instead of Node's own. */
  readonly ca: string | undefined;
  /** Makes a source of tokens; again after {@link openKeyVaultClient}'s `renew`. */
  readonly openTokens: () => TokenSource;
};

/** New tags replace the old ones, and so do new key_ops; what is left out stays. No dates: the SDK sends those from 2038 on wrongly. */
export type KeyChange = {
  readonly enabled?: boolean;
  readonly keyOps?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
};

export type NewKey = {
  readonly name: string;
  /** Such as `RSA-HSM`. */
  readonly type: string;
  readonly keySize?: number;
  readonly curve?: string;
  readonly keyOps: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
};

export type BroughtKey = {
  readonly name: string;
  readonly key: JsonWebKey;
  readonly hardwareProtected: boolean;
  readonly tags: Readonly<Record<string, string>>;
};

export type GcmParts = { readonly iv: Uint8Array; readonly ciphertext: Uint8Array; readonly tag: Uint8Array };
type Gcm = { readonly algorithm: "A128GCM" | "A192GCM" | "A256GCM"; readonly aad: Uint8Array };
type Run<T> = (sdk: Connected, options: object) => Promise<T>;
type PagesOf<T> = (sdk: Connected, options: object) => AsyncIterator<T[]>;
type Connected = { readonly keys: KeyClient; readonly uses: (ref: KeyRef) => CryptographyClient };

/** The calls of Key Vault that the adapter makes. Each rejects with a {@link ProviderError} only, and at once when its signal fires. */
export type KeyVaultClient = ReturnType<typeof openKeyVaultClient>;

/** Opens a client without a call. */
export function openKeyVaultClient(options: ClientOptions) {
  let current = connect(options);
  let closed = false;

  const ask = async <T>(kind: CallKind, call: CallContext, run: Run<T>, seen: Seen = {}): Promise<Answer<T>> => {
    const { signal } = call;
    try {
      if (closed) throw refused("the provider is closed");
      const value = await untilAborted(async () => await run(current, forSdk(call, seen)), signal);
      return { value, requestId: seen.requestId ?? null };
    } catch (error) {
      throw failed(error, { kind, signal, seen });
    }
  };

  /** All items of a list, a request for each page. */
  async function* pages<T>(call: CallContext, list: PagesOf<T>): AsyncGenerator<T> {
    const seen: Seen = {};
    let pagesLeft: AsyncIterator<T[]> | undefined;
    const nextPage: Run<IteratorResult<T[]>> = async (sdk) => {
      pagesLeft ??= list(sdk, forSdk(call, seen));
      return await pagesLeft.next();
    };
    for (;;) {
      const { value } = await ask("read", call, nextPage, seen);
      if (value.done === true) return;
      yield* value.value;
    }
  }

  return {
    url: options.url,
    getKey: async ({ name, version }: KeyRef, call: CallContext) =>
      await ask("read", call, async ({ keys }, more) => await keys.getKey(name, { version, ...more })),
    getDeletedKey: async (name: string, call: CallContext) =>
      await ask("read", call, async ({ keys }, more) => await keys.getDeletedKey(name, more)),
    listKeys: (call: CallContext) => pages(call, ({ keys }, more) => keys.listPropertiesOfKeys(more).byPage()),
    listDeletedKeys: (call: CallContext) => pages(call, ({ keys }, more) => keys.listDeletedKeys(more).byPage()),
    listVersions: (name: string, call: CallContext) =>
      pages(call, ({ keys }, more) => keys.listPropertiesOfKeyVersions(name, more).byPage()),
    createKey: async ({ name, type, ...wanted }: NewKey, call: CallContext) =>
      await ask(
        "change",
        call,
        async ({ keys }, more) => await keys.createKey(name, type, { ...copied(wanted), ...more }),
      ),
    importKey: async ({ name, key, ...wanted }: BroughtKey, call: CallContext) =>
      await ask("change", call, async ({ keys }, more) => await keys.importKey(name, key, { ...wanted, ...more })),
    updateKey: async ({ name, version }: KeyRef, change: KeyChange, call: CallContext) =>
      await ask(
        "change",
        call,
        async ({ keys }, more) => await keys.updateKeyProperties(name, version, { ...copied(change), ...more }),
      ),
    deleteKey: async (name: string, call: CallContext) =>
      await ask("change", call, async ({ keys }, more) => resultOf(await keys.beginDeleteKey(name, more))),
    recoverKey: async (name: string, call: CallContext) =>
      await ask("change", call, async ({ keys }, more) => resultOf(await keys.beginRecoverDeletedKey(name, more))),
    encrypt: async (ref: KeyRef, plaintext: Uint8Array, call: CallContext) =>
      await ask(
        "use",
        call,
        async ({ uses }, more) => (await uses(ref).encrypt("RSA-OAEP-256", plaintext, more)).result,
      ),
    decrypt: async (ref: KeyRef, ciphertext: Uint8Array, call: CallContext) =>
      await ask(
        "open",
        call,
        async ({ uses }, more) => (await uses(ref).decrypt("RSA-OAEP-256", ciphertext, more)).result,
      ),
    sealGcm: async (ref: KeyRef, { plaintext, ...gcm }: Gcm & { readonly plaintext: Uint8Array }, call: CallContext) =>
      await ask("use", call, async ({ uses }, more) => {
        const { algorithm, aad } = gcm;
        return await uses(ref).encrypt({ algorithm, plaintext, ...additional(aad) }, more);
      }),
    openGcm: async (ref: KeyRef, { algorithm, aad, iv, ciphertext, tag }: Gcm & GcmParts, call: CallContext) =>
      await ask("open", call, async ({ uses }, more) => {
        const parts = { algorithm, ciphertext, iv, authenticationTag: tag, ...additional(aad) };
        return (await uses(ref).decrypt(parts, more)).result;
      }),
    wrapKey: async (ref: KeyRef, algorithm: WrapName, bytes: Uint8Array, call: CallContext) =>
      await ask("use", call, async ({ uses }, more) => (await uses(ref).wrapKey(algorithm, bytes, more)).result),
    unwrapKey: async (ref: KeyRef, algorithm: WrapName, bytes: Uint8Array, call: CallContext) =>
      await ask("open", call, async ({ uses }, more) => (await uses(ref).unwrapKey(algorithm, bytes, more)).result),
    sign: async (ref: KeyRef, algorithm: SignatureAlgorithm, digest: Uint8Array, call: CallContext) =>
      await ask("use", call, async ({ uses }, more) => (await uses(ref).sign(algorithm, digest, more)).result),
    verify: async (ref: KeyRef, { algorithm, digest, signature }: Verification, call: CallContext) =>
      await ask(
        "use",
        call,
        async ({ uses }, more) => (await uses(ref).verify(algorithm, digest, signature, more)).result,
      ),
    /** Makes a fresh client, with fresh connections and tokens. Calls under way end on the connections that they have. */
    renew(): void {
      current = connect(options);
    },
    close(): void {
      closed = true;
    },
  };
}

type WrapName = "RSA-OAEP-256" | "A256KW";
type Verification = {
  readonly algorithm: SignatureAlgorithm;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
};

/** How many keys keep a client of their own, each of which costs a challenge at its first call. */
const KEPT_CLIENTS = 512;

function connect({ url, ca, openTokens }: ClientOptions): Connected {
  const tokens = withNamedFailure(openTokens());
  const sdkOptions = () => ({
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    // The challenge of a vault names its own domain, but for what runs on this machine.
    disableChallengeResourceVerification: isLoopback(url),
    userAgentOptions: { userAgentPrefix: "claviger" },
    tlsOptions, // the SDK keeps connections by this object
  });
  const tlsOptions = ca === undefined ? {} : { ca };
  const kept = new Map<string, CryptographyClient>();
  return {
    keys: new KeyClient(url, tokens, sdkOptions()),
    uses: (ref) => {
      const id = refOf(ref);
      const known = kept.get(id) ?? new CryptographyClient(withoutMaterial(id, ref), tokens, sdkOptions());
      kept.delete(id);
      kept.set(id, known); // the last used is the last to go
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_CLIENTS) break;
        kept.delete(oldest);
      }
      return known;
    },
  };
}

/**
 * A key of which the SDK knows no public half, so that it does nothing by itself: given a key, or an identifier that it can look up,
 * it encrypts and verifies here, and knows neither of a disabled key nor of PSS (providers.md 3.7).
 */
function withoutMaterial(id: string, { name }: KeyRef): KeyVaultKey {
  return { id, name, properties: {} } as unknown as KeyVaultKey;
}

/** Tells the failure to get a token from those of the vault; it is never a mutation that was sent. */
function withNamedFailure(tokens: TokenSource): TokenSource {
  return {
    getToken: async (...asked) => {
      try {
        return await tokens.getToken(...asked);
      } catch (error) {
        throw new ProviderError(credentialsFault(error));
      }
    },
  };
}

/** What every call of the SDK takes; it notes what is seen of the answer. */
function forSdk({ signal, requestId }: CallContext, seen: Seen): object {
  return {
    abortSignal: signal,
    requestOptions: { customHeaders: { "x-ms-client-request-id": requestId } },
    onResponse: (answer: Parameters<typeof noteAnswer>[1]) => {
      noteAnswer(seen, answer);
    },
  };
}

/** The SDK's poller has asked once by now; what it would ask again later is not waited for. */
function resultOf<R extends KeyVaultKey>(poller: {
  stopPolling(): void;
  getOperationState(): { result?: R };
}): R | undefined {
  poller.stopPolling();
  return poller.getOperationState().result;
}

function additional(aad: Uint8Array): { additionalAuthenticatedData?: Uint8Array } {
  return aad.length === 0 ? {} : { additionalAuthenticatedData: aad };
}

/** The SDK wants arrays that it may change. */
function copied<T extends { readonly keyOps?: readonly string[] }>({ keyOps, ...rest }: T) {
  return { ...rest, ...(keyOps === undefined ? {} : { keyOps: [...keyOps] }) };
}

function noteAnswer(
  seen: Seen,
  { status, headers }: { readonly status: number; readonly headers: { toJSON(): Record<string, string> } },
): void {
  seen.status = status;
  seen.headers = headers.toJSON();
  const id = seen.headers["x-ms-request-id"];
  if (id !== undefined) seen.requestId = id;
}

type Failing = { readonly kind: CallKind; readonly signal: AbortSignal; readonly seen: Seen };

/** The SDK's error is not kept: it holds the request and the answer, and so perhaps a plaintext. */
function failed(error: unknown, { kind, signal, seen }: Failing): ProviderError {
  if (signal.aborted) {
    const fault = { failure: "CANCELLED", answered: false, detail: "the caller ended the call" } as const;
    return new ProviderError(fault, signal.reason);
  }
  return error instanceof ProviderError ? error : new ProviderError(faultOf(error, kind, seen));
}
