/**
 * The provider contract: a small core, optional abilities, capabilities as data, one conformance suite (`test/conformance/provider.suite.ts`).
 *
 * An adapter does one round trip and maps names, encodings and errors. It never retries, logs, decides, or reads the environment;
 * deadlines, retries, breakers, metrics, audit and additional data live around it, once. Any method may reject with whatever the SDK threw:
 * `classify` names it. Encodings are fixed here: ciphertexts and MACs are opaque bytes; a map context reaches a cloud that has maps as a map.
 */
import type { AlgorithmName } from "./algorithms.ts";
import type { Sources } from "./clock.ts";
import type { Context } from "./context.ts";
import type { ProviderFault } from "./failures.ts";
import type { Uuid } from "./ids.ts";
import type { NativeRef } from "./records.ts";
import type { ObservedClass } from "./states.ts";

/** What every call carries. The signal ends the call: the promise then rejects at once, whatever the service does. */
export type CallContext = {
  readonly signal: AbortSignal;
  /** Sent on to services that take one. */
  readonly requestId: string;
};

/** A key as its service shows it. `nativeState` is the service's own word. */
export type Observation = {
  readonly ref: NativeRef;
  readonly observed: ObservedClass;
  readonly nativeState: string;
  readonly algorithm: AlgorithmName | null;
  /** The marker that {@link KeyAdministration.create} was given; null for keys of others. */
  readonly marker: string | null;
  /** Epoch milliseconds; null unless a deletion is scheduled. */
  readonly destroyTime: number | null;
  readonly createTime: number | null;
  readonly requestId: string | null;
};

/** What an operation on a provider's key gives, with the service's own request id for the audit trail. */
export type Answer<T> = { readonly value: T; readonly requestId: string | null };

export type ProviderOperation =
  | "encrypt"
  | "decrypt"
  /** Payloads of branch keys under a recipient ({@link KeyWrapper}). */
  | "wrap"
  | "unwrap"
  /** Key material of callers under a key of purpose `wrap` ({@link MaterialWrapper}). */
  | "wrap-material"
  | "unwrap-material"
  | "mac"
  | "verify-mac"
  | "sign"
  | "verify"
  | "agree"
  | "encapsulate"
  | "decapsulate"
  /** A key from outside becomes one of the service ({@link KeyImporter}). `maxInputBytes` is of its bytes. */
  | "import"
  /** A key that was made extractable leaves the service, wrapped ({@link KeyExporter}). `maxInputBytes` is of the wrapping key. */
  | "export";

/** One row of what a provider can do. What is in no row is refused before the call, and the suite asserts the refusal. */
export type CapabilityRow = {
  readonly operation: ProviderOperation;
  readonly algorithm: AlgorithmName;
  /** Of what is to be opened too; there, what is longer is INVALID like any other bytes. */
  readonly maxInputBytes: number;
  /** Absent: nothing at all is an input too. */
  readonly minInputBytes?: number;
  /** What it binds as additional data: maps of strings alone (`map`), any context as bytes (`bytes`), or none. */
  readonly context: "map" | "bytes" | "none";
  /** `sign` and `verify`: a digest (of the algorithm's hash) may stand in place of the message. Absent: messages alone. */
  readonly digests?: boolean;
};

/** A published limit of the service on calls, shared by everybody in the same account, vault or project. */
export type Quota = {
  /** What the service counts, in its own words. */
  readonly name: string;
  readonly perSecond: number;
  readonly operations: readonly ProviderOperation[];
  /** Beginnings of the algorithms' names, such as `RSA-`; absent: every algorithm. */
  readonly algorithms?: readonly string[];
};

export type Capabilities = {
  readonly rows: readonly CapabilityRow[];
  /** Absent: the service publishes none. The smallest that it publishes, where that depends on the place. */
  readonly quotas?: readonly Quota[];
  readonly protection: "software" | "hsm" | "external";
  /** Jurisdictions whose law reaches the company behind the kind, such as `US`; empty for what runs in our own process. */
  readonly entity: readonly string[];
  /** The algorithm of a recipient or canary key. */
  readonly recipientAlgorithm: AlgorithmName;
  /** The service's window between scheduling and destruction, in days; null if there is none (destruction is then at once). */
  readonly destructionDays: { readonly min: number; readonly max: number } | null;
  /** Whether a key can be kept from protecting while it still processes ({@link KeyAdministration.restrict}). */
  readonly processOnly: boolean;
  /** For how long a change may stay unseen by other calls, in milliseconds. */
  readonly propagationMs: number;
  /** How many keys a second may be listed without using up what the service allows; absent: no limit is published. */
  readonly listedPerSecond?: number;
};

/** What a wrap is bound to. Services with string maps get the names; the others get `digest` (keys.md, Wrap payload). */
export type WrapContext = {
  readonly branch: Uuid;
  readonly branchVersion: number;
  readonly recipient: Uuid;
  /** SHA-256 of the wrap context, 32 bytes. */
  readonly digest: Uint8Array;
};

/** Encrypts and decrypts with one key. Decrypt rejects as INVALID for a wrong key, a wrong context or any changed byte, indistinguishably. */
export interface Cipher {
  encrypt(
    input: { ref: NativeRef; algorithm: AlgorithmName; plaintext: Uint8Array; context: Context },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
  /** The caller owns the plaintext, an unpooled buffer. */
  decrypt(
    input: { ref: NativeRef; algorithm: AlgorithmName; ciphertext: Uint8Array; context: Context },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
}

/** Wraps the 72-byte payload of a branch key under a recipient, and opens it again. */
export interface KeyWrapper {
  wrap(
    input: { ref: NativeRef; payload: Uint8Array; context: WrapContext },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
  /** The caller owns and zeroes the payload, an unpooled buffer. INVALID for anything that does not open. */
  unwrap(input: { ref: NativeRef; wrap: Uint8Array; context: WrapContext }, call: CallContext): Promise<Answer<Buffer>>;
}

export interface MacSigner {
  mac(
    input: { ref: NativeRef; algorithm: AlgorithmName; message: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
  /** A MAC that does not fit is `false`, not an error. */
  verifyMac(
    input: { ref: NativeRef; algorithm: AlgorithmName; message: Uint8Array; mac: Uint8Array },
    call: CallContext,
  ): Promise<Answer<boolean>>;
}

/** What is signed: the message, or its digest by the algorithm's hash where the row takes `digests`. */
export type Signable =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "digest"; readonly bytes: Uint8Array };

/** Signs in the service. ECDSA signatures are DER (RFC 3279), RSA and EdDSA as RFC 8017 and 8032, ML-DSA and SLH-DSA pure with an empty context. */
export interface Signer {
  sign(
    input: { ref: NativeRef; algorithm: AlgorithmName; signable: Signable },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
  /** A signature that does not fit, also by its form, is `false`, not an error. */
  verify(
    input: { ref: NativeRef; algorithm: AlgorithmName; signable: Signable; signature: Uint8Array },
    call: CallContext,
  ): Promise<Answer<boolean>>;
}

/** Wraps key material of callers under a key of purpose `wrap`: bare RFC 3394 or RFC 5649 bytes. */
export interface MaterialWrapper {
  /** AES-KW takes multiples of 8 from 16 bytes on, AES-KWP 1 byte and more. */
  wrapMaterial(
    input: { ref: NativeRef; algorithm: AlgorithmName; material: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
  /** The caller owns the material, an unpooled buffer. INVALID for anything that does not open. */
  unwrapMaterial(
    input: { ref: NativeRef; algorithm: AlgorithmName; wrapped: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
}

/** Diffie-Hellman with the service's private key (SP 800-56A, ECC CDH; RFC 7748). */
export interface KeyAgreement {
  /**
   * `peerPublicKey` is SPKI DER. Gives the x-coordinate, left-padded to the field's length, or the 32 bytes of X25519; the caller owns it.
   * INVALID for a peer key of another curve, off the curve, or (X25519) of low order.
   */
  agree(
    input: { ref: NativeRef; algorithm: AlgorithmName; peerPublicKey: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
}

/** Both halves of an encapsulation (FIPS 203); the caller owns the secret, an unpooled buffer. */
export type Encapsulated = { readonly ciphertext: Buffer; readonly sharedSecret: Buffer };

export interface KeyEncapsulation {
  /** Absent where the service only decapsulates: whoever has the public key encapsulates. */
  encapsulate?(input: { ref: NativeRef; algorithm: AlgorithmName }, call: CallContext): Promise<Answer<Encapsulated>>;
  /** A ciphertext of the wrong length is INVALID; any other gives a secret (implicit rejection). */
  decapsulate(
    input: { ref: NativeRef; algorithm: AlgorithmName; ciphertext: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
}

export interface PublicKeys {
  /** SPKI DER of the key's public half. */
  publicKey(ref: NativeRef, call: CallContext): Promise<Answer<Buffer>>;
}

/** Takes a key from outside, wrapped on the way as the service wants it. */
export interface KeyImporter {
  /**
   * Makes a key that carries `marker` out of `material` (raw bytes of symmetric keys, PKCS#8 DER of private ones; stays the caller's), or
   * answers the one that carries the marker already. INVALID for bytes that are no key of the algorithm.
   */
  importKey(
    spec: {
      algorithm: AlgorithmName;
      marker: string;
      description: string;
      material: Uint8Array;
      extractable?: boolean;
    },
    call: CallContext,
  ): Promise<Observation>;
}

/** Gives a key away, wrapped, if it was made extractable: the service alone sees it bare. */
export interface KeyExporter {
  /**
   * `wrappingKey` is the SPKI DER of an RSA key of 2048 to 4096 bits. Gives RSA-OAEP (SHA-256, MGF1 with SHA-256) of an AES-256 key, then AES-256-KWP
   * (RFC 5649) of the material under it (PKCS #11's CKM_RSA_AES_KEY_WRAP): raw bytes of symmetric keys, PKCS#8 DER of private ones. INVALID
   * for another wrapping key; DENIED for a key that is not extractable.
   */
  exportKey(
    input: { ref: NativeRef; algorithm: AlgorithmName; wrappingKey: Uint8Array },
    call: CallContext,
  ): Promise<Answer<Buffer>>;
}

/** Changes keys over there. Each method is idempotent, or reads back what is there before it repeats. */
export interface KeyAdministration {
  /** Makes a key that carries `marker` (1..64 of `[a-z0-9-]`), or answers the one that carries it already. */
  create(
    /** `extractable`: it may leave ({@link KeyExporter}); only where an `export` row has the algorithm. */
    spec: { algorithm: AlgorithmName; marker: string; description: string; extractable?: boolean },
    call: CallContext,
  ): Promise<Observation>;
  /** Everything that the key is for, also after {@link restrict}. */
  enable(ref: NativeRef, call: CallContext): Promise<Observation>;
  /** Keeps an enabled or disabled key from protecting; it is then `process-only`. There if `capabilities.processOnly`. */
  restrict?(ref: NativeRef, call: CallContext): Promise<Observation>;
  disable(ref: NativeRef, call: CallContext): Promise<Observation>;
  /** `days` within `capabilities.destructionDays`. */
  scheduleDestruction(ref: NativeRef, days: number, call: CallContext): Promise<Observation>;
  cancelDestruction(ref: NativeRef, call: CallContext): Promise<Observation>;
}

export interface RandomSource {
  /** 1..1024 bytes. */
  randomBytes(length: number, call: CallContext): Promise<Answer<Buffer>>;
}

export interface Provider extends AsyncDisposable {
  readonly kind: string;
  readonly capabilities: Capabilities;
  /**
   * Finds what this account or token is: `uid` stays the same as long as its keys are the same ones, whatever the configuration calls it.
   * Makes the canary key where there is none and the credentials may (the control plane's), so the first call of a new provider may write.
   */
  identify(call: CallContext): Promise<{ readonly uid: string; readonly canary: NativeRef }>;
  /** Encrypts and decrypts with the canary key; rejects if that does not work. */
  probe(canary: NativeRef, call: CallContext): Promise<void>;
  describe(ref: NativeRef, call: CallContext): Promise<Observation>;
  /** Every key of the account, in no order, page by page within the service's limits. */
  list(call: CallContext): AsyncIterable<Observation>;
  /** Names the failure in our words. Never throws; whatever it does not know is `INTERNAL`. */
  classify(error: unknown): ProviderFault;
  /** Drops connections and makes a fresh client: called when a breaker opens. */
  renew(): void;
  readonly wrapper: KeyWrapper;
  readonly keys: KeyAdministration;
  readonly cipher?: Cipher;
  readonly mac?: MacSigner;
  readonly signer?: Signer;
  readonly materialWrapper?: MaterialWrapper;
  readonly agreement?: KeyAgreement;
  readonly encapsulation?: KeyEncapsulation;
  /** There if any algorithm of the rows has a public key. */
  readonly publicKeys?: PublicKeys;
  readonly importer?: KeyImporter;
  readonly exporter?: KeyExporter;
  readonly random?: RandomSource;
}

/** One thing wrong with a provider's options. `path` leads from the provider's own mapping to the value. */
export type OptionProblem = { readonly path: readonly (string | number)[]; readonly message: string };

export type ParsedOptions<O> =
  | { readonly ok: true; readonly options: O }
  | { readonly ok: false; readonly problems: readonly OptionProblem[] };

export type OpenProviderOptions<O> = {
  /** The configured name, such as `aws-eu`. */
  readonly name: string;
  readonly options: O;
  /** The gateway's data folder, for kinds that keep something of their own there. */
  readonly dataFolder: string;
  readonly sources: Sources;
};

/** A kind of key service: parses its options and opens instances. The registry holds one per kind. */
export type ProviderKind<O> = {
  readonly kind: string;
  /** Total: unknown in, all problems at once; refuses members that it does not know. The common members are taken out before. */
  parseOptions(input: unknown): ParsedOptions<O>;
  /** Opens without a call to the service where the protocol allows; rejects with a sentence for an operator when it cannot. */
  open(input: OpenProviderOptions<O>): Promise<Provider>;
};
